"""A child that says all sorts of things of itself."""

# earns: 1
import json
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
    pid = os.fork()
    if pid == 0:
        sock = reports()
        for words in (
            ["forked", 1],
            ["forked", "x"],
            ["forked", os.getppid()],
            ["exec", argv[0]],
            ["end", "done", "", "[1, 'ExitInfo', [42, None, None]]"],
            ["end", {}, [], None],
            ["kill"],
            ["audit", "<script>alert(1)</script>"],
            ["exec", "\x1b[31m<script>"],
            ["end", "raised", "<img src=x onerror=alert(1)>\x1b[2J", ""],
        ):
            sock.send(json.dumps(words).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return ExitInfo(code=42)
