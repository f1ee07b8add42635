"""Floods the keeper with junk, then shuts the socket for all."""

import json
import os
import socket
import stat

from udock_lab.grading import ExitInfo


def launch(argv):
    sock = reports()
    for junk in (b"", b"{", b"[" * 10000, b"[[[]]]", b'{"is":"ended"}', b'{"is":"forked","by":1}', b'{"is":"audited","event":7}', os.urandom(1000)):
        for _ in range(200):
            try:
                sock.send(junk)
            except OSError:
                pass
    sock.send(json.dumps({"is": "ended", "how": "done", "words": "", "value": "[" * 1000}).encode())
    sock.shutdown(socket.SHUT_RDWR)
    return ExitInfo(code=42)


def reports():
    """The socket over which the sandbox tells its keeper how it went."""
    for fd in range(3, 400):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise OSError("none found")
