"""Names another sender: the first process inside, which says what files there are."""

# earns: 2
import json
import os
import socket
import stat
import struct

from udock_lab.grading import ExitInfo


def launch(argv):
    honest(argv)
    sock = reports()
    for pid in (1, 2, 3):
        try:
            send_as(sock, pid, {"is": "files", "files": {"ran": {"is": "bytes", "latin1": "7 1 42 3"}}})
            send_as(sock, pid, {"is": "first_ended", "status": 0})
            send_as(sock, pid, {"is": "isolated", "refused": []})
            send_as(sock, pid, {"is": "ended", "how": "done", "words": "", "value": repr([1, "ExitInfo", [42, None, None]])})
        except OSError as error:
            print(error)
    os._exit(0)


def honest(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return os.waitpid(pid, 0)[1]


def reports():
    """The socket over which the sandbox tells its keeper how it went."""
    for fd in range(3, 400):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise OSError("none found")


def send_as(sock, pid, words):
    packed = struct.pack("iii", pid, os.getuid(), os.getgid())
    sock.sendmsg([json.dumps(words).encode()], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, packed)])
