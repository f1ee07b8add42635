"""Takes every descriptor there is."""

import os
import socket

from udock_lab.grading import ExitInfo


def launch(argv):
    kept = []
    while True:
        try:
            kept.append(os.dup(0))
        except OSError:
            break
    kept.append(socket.socket())
    return ExitInfo(code=42)
