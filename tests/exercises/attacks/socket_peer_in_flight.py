"""Sockets sent over themselves, so that a cycle of descriptors in flight stays."""

import socket

from udock_lab.grading import ExitInfo


def launch(argv):
    import array

    for _ in range(200):
        a, b = socket.socketpair()
        try:
            a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [a.fileno(), b.fileno()]))])
        except OSError:
            pass
        a.close()
        b.close()
    return ExitInfo(code=42)
