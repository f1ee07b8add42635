"""Timers and alarms that end or wake it later; time stands still."""

import os
import signal
import time


def launch(argv):
    signal.signal(signal.SIGALRM, lambda *a: os.fork())
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    signal.signal(signal.SIGPROF, lambda *a: None)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    time.time = time.monotonic = lambda: 0.0
    while True:
        pass
