"""Becomes a program that sends a forged report on the inherited socket."""

# earns: 2
import os
import socket
import stat
import sys

from udock_lab.grading import ExitInfo


def honest(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return os.waitpid(pid, 0)[1]


def info(status):
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))


def reports():
    for fd in range(3, 400):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise OSError("none found")


def launch(argv):
    honest(argv)
    sock = reports()
    os.set_inheritable(sock.fileno(), True)
    value = repr([os.getpid(), "ExitInfo", [42, None, None]])
    words = [
        {"is": "ended", "how": "done", "words": "", "value": value},
        {"is": "first_ended", "status": 0},
        {"is": "files", "files": {"ran": {"is": "bytes", "latin1": "1 2 42 3"}}},
        {"is": "ready"},
        {"is": "isolated", "refused": []},
        {"is": "hello"},
        {"is": "guard", "by": "<b>x</b>"},
        {"is": "broken", "why": "<script>"},
    ]
    code = f"import socket,json; s=socket.socket(fileno={sock.fileno()}); [s.send(json.dumps(w).encode()) for w in {words!r}]"
    os.execv(sys.executable, [sys.executable, "-c", code])
