"""Learner code in a disposable process: run it, watch it, bound it, clean up.

::

    run.py        the kernel's side: what goes in, what comes back
    names.py      which of the notebook's names a cell uses
    keeper.py     supervises one sandbox (a process of its own, started by the launcher)
    runner.py     the disposable process
    identity.py   user namespace, and the guard that holds signals inside
    census.py     who is who
    verdict.py    one sentence on what happened

>>> from udock_lab import sandbox
>>> sandbox.run("import os; os.fork()").verdict   # doctest: +SKIP
'the child ran past its branch and finished the cell too: two processes returned from fork, ...'
"""

from udock_lab.sandbox.names import names_used
from udock_lab.sandbox.run import MEMORY, PROCESSES, TIMEOUT, run

__all__ = ["MEMORY", "PROCESSES", "TIMEOUT", "names_used", "run"]
