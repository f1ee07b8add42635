"""`%mydock`: the functions that a learner wrote in the exercises, run as a container runtime of their own.

::

    magic.py    %mydock in a notebook
    parts.py    the seven parts: which of them the learner wrote, and where
    running.py  one run, in the sandbox
    inside.py   what calls the learner's functions in there
    standin.py  mdock's own, in the place of parts that are missing
    shown.py    cards: whose part is which, how a run ended, the table
"""
