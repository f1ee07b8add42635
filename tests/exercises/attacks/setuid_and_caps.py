"""setuid to others, ambient capabilities, no_new_privs, seccomp on itself that kills."""

import ctypes
import os
import time


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        for uid in (1000, 65534, 0, 2000000):
            try:
                os.setresuid(uid, uid, uid)
                print("now", uid)
            except OSError as e:
                print(e)
        time.sleep(300)
    libc.prctl(38, 1, 0, 0, 0)
    print(libc.prctl(22, 1, 0, 0, 0), ctypes.get_errno())
    os.write(1, b"x")
    os.getpid()
