"""Abstract sockets and netlink: is anybody of the host's there?"""

import socket

from udock_lab.grading import ExitInfo


def launch(argv):
    try:
        print(open("/proc/net/unix").read()[:300])
    except OSError as e:
        print(e)
    s = socket.socket(socket.AF_UNIX)
    s.bind("\0udock-hostile")
    s.listen()
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).bind((0, 1))
    except OSError as e:
        print(e)
    return ExitInfo(code=42)
