"""One line of sixty megabytes on stderr, and names of processes full of escapes."""

import ctypes
import os
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    try:
        open("/proc/self/comm", "w").write("\x1b[31m<b>\n)")
    except OSError:
        pass
    ctypes.CDLL(None).prctl(15, b") R 1 1\n<b>", 0, 0, 0)
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(15, b") Z 0 0 0\n", 0, 0, 0)
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"a) Z 1 (", 0, 0, 0)
            time.sleep(300)
        time.sleep(300)
    os.write(2, b"y" * (60 << 20))
    return ExitInfo(code=42)
