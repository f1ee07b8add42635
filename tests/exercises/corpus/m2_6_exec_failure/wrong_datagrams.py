"""A datagram socket has no end of file."""

# misconception: a datagram socket has an end of file
# fails: back
import errno
import os
import struct

from udock_lab.grading import ExitInfo


def run(argv):
    import socket

    r, w = (s.detach() for s in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    pid = os.fork()
    if pid == 0:
        os.close(r)
        try:
            os.execv(argv[0], argv)
        except OSError as e:
            os.write(w, struct.pack("i", e.errno))
        finally:
            os._exit(127)
    os.close(w)
    data = os.read(r, 4)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if data:
        number = struct.unpack("i", data)[0]
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
