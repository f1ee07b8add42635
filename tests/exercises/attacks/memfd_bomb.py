"""Files that only memory holds, in many processes."""

import os
import time


def launch(argv):
    for _ in range(10):
        if os.fork() == 0:
            for _ in range(100):
                fd = os.memfd_create("x")
                try:
                    for _ in range(64):
                        os.write(fd, bytes(1 << 20))
                except OSError:
                    pass
            time.sleep(60)
    time.sleep(60)
