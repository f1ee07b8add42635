"""A null pointer; with faulthandler into the report's socket."""

import ctypes
import os
import socket
import stat


def reports():
    for fd in range(3, 400):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise OSError("none found")


import faulthandler


def launch(argv):
    faulthandler.enable(file=reports().detach())
    faulthandler.dump_traceback_later(0.2, repeat=True, file=os.dup(2))
    ctypes.string_at(0)
