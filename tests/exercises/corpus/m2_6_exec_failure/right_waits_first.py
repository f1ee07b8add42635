"""Waits before it reads: four bytes always find room in the pipe."""

import os

from udock_lab.grading import ExitInfo


def run(argv):
    r, w = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if not child:
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as e:
            os.write(w, e.errno.to_bytes(4, "little"))
        os._exit(1)
    os.close(w)
    status = os.waitpid(child, 0)[1]
    said = os.read(r, 4)
    os.close(r)
    if said:
        why = int.from_bytes(said, "little")
        return ExitInfo(127 if why == 2 else 126, None, why)
    if os.WIFEXITED(status):
        return ExitInfo(os.WEXITSTATUS(status))
    return ExitInfo(None, os.WTERMSIG(status))
