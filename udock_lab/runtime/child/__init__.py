"""All that a fork copies: the child's side of a container, and the processes that fork it.

::

    launch.py      the textbook: fork, start gate, steps, execve
    plan.py        what the child is told
    reports.py     what it says
    rehearse.py    what it does while nobody waits
    forker.py      who forks and reaps
    launcher.py    the process that does so for a notebook

What these import is copied at each fork, and pinned by a test.
"""
