"""Threads in threads, each of which forks at its end."""

import os
import threading
import time


def launch(argv):
    def work():
        for _ in range(3):
            try:
                threading.Thread(target=work, daemon=True).start()
            except RuntimeError:
                return
        if os.fork() == 0:
            os.setsid()
            work()
            time.sleep(300)

    work()
    time.sleep(300)
