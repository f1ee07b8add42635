"""Looks into the pipe after a tenth of a second."""

# misconception: a pause is long enough
# fails: missing
import errno
import os
import struct

from udock_lab.grading import ExitInfo


def run(argv):
    r, w = os.pipe()
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
    import time

    time.sleep(0.1)
    os.set_blocking(r, False)
    try:
        data = os.read(r, 4)
    except BlockingIOError:
        data = b""
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if data:
        number = struct.unpack("i", data)[0]
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
