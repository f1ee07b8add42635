"""The highest priority, one processor, real time, idle class, I/O class."""

import os


def launch(argv):
    for call in (
        lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
        lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)),
        lambda: os.sched_setaffinity(0, {0}),
        lambda: os.sched_setaffinity(os.getppid(), {1}),
        lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
        lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)),
        lambda: os.setpriority(os.PRIO_USER, 0, 19),
    ):
        try:
            print(call())
        except OSError as e:
            print(e)
    for _ in range(8):
        if os.fork() == 0:
            while True:
                pass
    while True:
        pass
