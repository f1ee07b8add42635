"""Anonymous shared memory: it counts as shared."""

import mmap
import os
import time


def launch(argv):
    for _ in range(12):
        if os.fork() == 0:
            m = mmap.mmap(-1, 1 << 30)
            for at in range(0, 1 << 30, 4096):
                m[at] = 1
            time.sleep(60)
    time.sleep(60)
