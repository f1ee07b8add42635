"""Why a program did not start, or hardly began, from what is on disk.

::

    refusal.py   execve's answer, errno by errno
    enoent.py    the four things that ENOENT can mean
    started.py   execve succeeded, and the program ended at once: a loader, an emulator, a limit
    case.py      the failed exec that all of them look at
"""
