"""What the sandbox wants of its isolation: who the code runs as, what it sees, where it writes, how much it may use.

Not one system call of isolation is made here: isolation/ makes them, in its own order.
"""

from __future__ import annotations

from udock_lab.model.value import Value

__all__ = ["SandboxPolicy"]


class SandboxPolicy(Value):
    """The keeper's orders to the runner on how to shut itself in; the runner works the steps out.

    ``walls``: namespaces and a root of its own. Without them ``userns`` keeps it who it is, in a user namespace, and
    ``uid`` makes it that user, unless 0. ``graded`` code is not trusted; ``protected`` are pids that it may not signal.
    """

    walls: bool = False
    userns: bool = False
    uid: int = 0
    package: str = ""  # the folder that holds udock_lab
    path: tuple[str, ...] = ()  # where the notebook imports from
    scratch: str = ""  # the one folder that may be written
    cwd: str = ""
    limits: tuple[tuple[str, int], ...] = ()  # names of the module resource, and soft limits
    graded: bool = False
    protected: tuple[int, ...] = ()
