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
            {"is": "forked", "by": 1, "number": 1},
            {"is": "forked", "by": "x", "number": 1},
            {"is": "forked", "by": os.getppid(), "number": 10**9},
            {"is": "forked", "by": os.getppid(), "number": 2},
            {"is": "execs", "program": argv[0]},
            {"is": "ended", "how": "done", "words": "", "value": "[1, 'ExitInfo', [42, None, None]]"},
            {"is": "ended", "how": {}, "words": [], "value": None},
            {"is": "kills"},
            {"is": "audited", "event": "<script>alert(1)</script>"},
            {"is": "execs", "program": "\x1b[31m<script>"},
            {"is": "ended", "how": "raised", "words": "<img src=x onerror=alert(1)>\x1b[2J", "value": ""},
        ):
            sock.send(json.dumps(words).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return ExitInfo(code=42)
