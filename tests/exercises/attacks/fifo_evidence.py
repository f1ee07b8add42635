"""Fifos, devices and sockets where evidence would lie; a reader would wait for ever."""

import os
import socket

from udock_lab.grading import ExitInfo


def launch(argv):
    for name in ("ran", "returned", "said", "me", "z"):
        try:
            os.unlink(name)
        except OSError:
            pass
        try:
            os.mkfifo(name)
        except OSError as e:
            print(e)
    s = socket.socket(socket.AF_UNIX)
    s.bind("sock")
    return ExitInfo(code=42)
