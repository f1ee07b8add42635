"""Reaches for the network and for abstract sockets."""

import socket

from udock_lab.grading import ExitInfo


def launch(argv):
    for address in (("127.0.0.1", @port@), ("1.1.1.1", 80)):
        try:
            socket.create_connection(address, 1).send(b"points: all of them")
            print("CONNECTED")
        except OSError as error:
            print(error)
    return ExitInfo(code=42)
