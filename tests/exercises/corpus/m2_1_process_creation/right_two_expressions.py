"""All in two expressions."""

import os

from udock_lab.grading import ExitInfo


def _become(argv):
    try:
        (
            [
                os.set_inheritable(n, False)
                for n in range(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))
                if os.path.exists(f"/proc/self/fd/{n}") or os.path.islink(f"/proc/self/fd/{n}")
            ],
            os.execv(argv[0], argv),
        )
    finally:
        os._exit(127)


launch = lambda argv: (lambda end: ExitInfo(code=end) if end >= 0 else ExitInfo(signal=-end))(
    os.waitstatus_to_exitcode(os.waitpid(os.fork() or _become(argv), 0)[1])
)
