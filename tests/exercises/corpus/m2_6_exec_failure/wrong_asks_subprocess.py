"""The errno is subprocess's."""

# misconception: a library may be asked for the errno
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
    data = os.read(r, 4)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if data:
        import subprocess

        try:
            subprocess.Popen(argv)
        except OSError as e:
            number = e.errno
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
