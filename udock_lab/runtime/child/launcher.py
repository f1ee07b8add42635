"""The launcher: a small helper process that forks and supervises, so that the notebook kernel never forks.

An ipykernel has about twelve threads; forking it is unsafe and its cost grows with the heap. The launcher is
started once, with ``subprocess`` (one vfork), in a session of its own; requests come over a socket.

It runs as ``python -I -S -c ... FD FOLDER``: isolated, without site-packages. Until the forker is forked it
imports as little as it can.
"""

from __future__ import annotations

import gc
import os
import sys

from udock_lab.linux.dispositions import forget_inherited_signals
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from udock_lab.runtime.child.descriptors import may_open_many
from udock_lab.runtime.child.forker import start_forker
from udock_lab.wire.framing import adopt

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["become_supervisor", "command_line", "main"]

_START = """
import sys
sys.path.insert(0, sys.argv[2])
from udock_lab.runtime.child.launcher import main
main(int(sys.argv[1]))
"""


def command_line(control: int) -> list[str]:
    """Return how the kernel starts the launcher: ``control`` is the number of the socket it inherits."""
    package = os.path.abspath(f"{__file__}/../../../..")
    return [sys.executable, "-I", "-S", "-c", _START, str(control), package]


def become_supervisor() -> None:
    """Cut the ties to whoever started us: no terminal, no SIGINT from it, nothing it ignored, no standard streams."""
    forget_inherited_signals()
    may_open_many()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):  # the last two come as OSError
        signal.signal(number, signal.SIG_IGN)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)
    os.chdir("/")


def _go_on_after_a_stop(forker: int) -> None:
    """Continue after a stop: when the kernel dies, this process and the forker both go on, to see that it is gone.

    A program may stop them (kill -STOP). SIGCONT also comes where the thread that started us ends before its process:
    then it does nothing, and comes again.
    """
    signal.signal(signal.SIGCONT, lambda *_: os.kill(forker, signal.SIGCONT))
    prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def main(control: int) -> None:
    """Serve until the kernel has closed its socket and the last container has ended."""
    become_supervisor()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    gc.disable()  # a collection touches every object, and so copies every page shared with a child
    gc.freeze()
    forker = start_forker()
    _go_on_after_a_stop(forker.pid)
    from udock_lab.runtime.supervisor.serve import Supervisor

    os.set_inheritable(control, False)
    Supervisor(adopt(control), prefork=True, forker=forker).serve()
