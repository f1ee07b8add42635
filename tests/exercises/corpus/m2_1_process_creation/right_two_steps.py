"""A generator tells the child's life in two steps."""

import os

from udock_lab.grading import ExitInfo


def open_numbers():
    """The descriptors of this process beyond 0, 1 and 2."""
    with os.scandir("/proc/self/fd") as folder:
        found = sorted(int(entry.name) for entry in folder)
    yield from (fd for fd in found if fd > 2)


def life(argv):
    """What happens to a child, in two steps: its pid when it is born, its wait status when it has ended."""
    pid = os.fork()
    if pid == 0:
        try:
            for fd in open_numbers():
                try:
                    os.close(fd)
                except OSError:
                    continue
            os.execl(argv[0], *argv)
        finally:
            os._exit(127)
    yield pid
    yield os.waitpid(pid, 0)[1]


def launch(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv and say how it ended."""
    _, status = life(argv)
    code, rest = divmod(status, 256)
    signal = rest % 128  # 128 is the bit of the core file
    if signal:
        return ExitInfo(signal=signal)
    return ExitInfo(code=code)
