"""A child that a signal ended early counts as not found."""

# misconception: silence and a signal mean that exec failed
# fails: ended
import errno
import os
import struct

from udock_lab.grading import ExitInfo


def run(argv):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(r)
        os.write(w, b"go")
        try:
            os.execv(argv[0], argv)
        except OSError as e:
            os.write(w, struct.pack("i", e.errno))
        finally:
            os._exit(127)
    os.close(w)
    go = os.read(r, 2)
    data = os.read(r, 4) if go else struct.pack("i", 2)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if data:
        number = struct.unpack("i", data)[0]
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
