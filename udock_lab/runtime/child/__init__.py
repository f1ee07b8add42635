"""All that a fork copies: the child's side of a container, and the processes that fork it.

::

    launch.py       the textbook: fork, start gate, steps, execve
    plan.py         what the child is told
    reports.py      what it says
    descriptors.py  which files it has open
    rehearse.py     what it does while nobody waits
    unchrooted.py   how it finds its program where chroot is refused
    fresh.py        a child as its parent sees it
    kinds.py        the kinds of children that can be forked ahead
    forker.py       who forks, adopts and reaps
    launcher.py     the process that does so for a notebook

What these import is copied at each fork, and pinned by a test.
"""
