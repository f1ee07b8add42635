"""Messages said to lie in a file: a pipe, a huge sparse file, a directory, 253 descriptors."""

import os
import socket
import stat

from udock_lab.grading import ExitInfo


def reports():
    for fd in range(3, 400):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise OSError("none found")


def launch(argv):
    sock = reports()
    r, w = os.pipe()
    big = os.memfd_create("big")
    os.ftruncate(big, (8 << 20) - 1)
    d = os.open("/", os.O_RDONLY)
    growing = os.memfd_create("g")
    os.write(growing, b"[" * (8 << 20))
    import array

    for fds in ([r], [big], [d], [growing], [0] * 253, [sock.fileno()]):
        for _ in range(10):
            try:
                sock.sendmsg([b"\x00in-memfd"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
            except OSError as e:
                print(e)
    return ExitInfo(code=42)
