"""Fork, start gate, steps, execve: the child's side of a container, to be read from top to bottom.

The parent forks a :class:`~udock_lab.runtime.child.fresh.Fresh` child with :func:`fork_child`. The child waits at its
start gate, a sync socket. The parent sends the plan, which the child reads while the parent writes the record; when the
parent then opens the gate, the child applies the steps, says "about to exec" and becomes the program. Everything it has
to say goes through a close-on-exec pipe; end-of-file there means exec worked.

A plan may have the child fork once more, into a new pid namespace. Steps up to that fork are made before the gate, and
whoever goes on says "prepared": so the record names the process that will be the program.
"""

from __future__ import annotations

import errno
import os
from time import monotonic_ns

from udock_lab.isolation.pid import FirstProcess
from udock_lab.isolation.sequence import make_steps
from udock_lab.isolation.step import Child, Step
from udock_lab.linux.dispositions import forget_inherited_signals
from udock_lab.runtime.child.descriptors import REPORTS, STDIN, SYNC, TERMINAL, as_many_as_before, keep_only, place
from udock_lab.runtime.child.fresh import Ends, Fresh
from udock_lab.runtime.child.kinds import PLAIN, Kind
from udock_lab.runtime.child.plan import Plan
from udock_lab.runtime.child.rehearse import rehearse
from udock_lab.runtime.child.reports import EXEC, NO_ANSWER, report
from udock_lab.runtime.child.unchrooted import from_inside
from udock_lab.wire.framing import adopt, pack, receive, send, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import NoReturn

    Made = dict[str, tuple[int, int, int]]  # steps that are made already: errno, start and end in nanoseconds

__all__ = ["PREPARED", "brief", "fork_child", "open_gate"]

PREPARED = b"prepared"
_WITH_STDIN, _WITH_BOTH = pack([STDIN]), pack([STDIN, TERMINAL])
UMASK = 0o022  # a program's files may be read by everybody and written by their owner, whatever the caller's umask


def fork_child(kind: Kind = PLAIN, *, rehearsed: bool, made: Made | None = None) -> Fresh:
    """Fork a child in its own session, which waits at its start gate (fork(2)).

    Only a single-threaded process may call this. ``made``: what the caller has done for a child of this kind.
    """
    ends = Ends()
    start = monotonic_ns()
    try:
        pid = os.fork()
    except OSError:
        ends.close()
        raise
    if pid == 0:
        say = ends.theirs()[1]
        try:
            keep_only(*ends.theirs())
            say = REPORTS
            if FirstProcess.name in kind.forked:
                made = {**(made or {}), FirstProcess.name: (0, start, monotonic_ns())}
            _be_a_container(kind, rehearsed, made or {})
        except OSError as error:  # no descriptor was left, most likely
            report(0, error.errno or errno.EIO, monotonic_ns(), monotonic_ns(), say)
        finally:
            os._exit(125)
    return ends.keep_ours(pid, start, kind)


def brief(child: Fresh, plan: bytes, container: int = -1) -> None:
    """Tell the child what it will do (:meth:`Plan.pack`). It reads that, and waits for the start gate to open.

    ``container``: a pidfd of the first process of the container that it enters.
    """
    send(child.sync, plan, (container,) if container >= 0 else ())
    child.briefed = True


def open_gate(child: Fresh, stdin: int, terminal: int | None) -> None:
    """Let the child go, with its standard input (and its terminal, if it gets one)."""
    if terminal is None:
        send(child.sync, _WITH_STDIN, (stdin,))
    else:
        send(child.sync, _WITH_BOTH, (stdin, terminal))


# --- from here on, in the child ---------------------------------------------------------------------------
#
# The child's contract. Modules are imported and ctypes is bound before fork. From the gate's opening to
# exec the child only moves file descriptors into place, applies steps and reports; it never imports,
# prints, logs, raises past its frame or touches IPython; every path ends in execve or _exit.
# Every signal is back at its default (SIGPIPE, SIGXFSZ, SIGINT, and what the caller ignored), none is
# blocked, the umask is 022, and only file descriptors 0, 1, 2 survive exec. Steps before the gate keep
# to all of this; only the import of a rare layer is permitted there.


def _be_a_container(kind: Kind, rehearsed: bool, made: Made) -> NoReturn:
    """Wait for a plan and for the gate; then make the steps, and become the program."""
    # Nobody waits yet.
    forget_inherited_signals()  # Python's SIGPIPE, and what the caller ignored
    os.setsid()  # from here on there is a process group, which may be signalled
    os.umask(UMASK)
    as_many_as_before()
    sync, child = adopt(SYNC), Child(is_adopted=True)
    if rehearsed:
        rehearse()
    for step in make_steps([[name] for name in kind.ahead]):
        made[step.name] = _make(step, child)
    # The plan has come. Most have no steps before the gate.
    plan, steps = _take_plan(sync, child)
    before, after = steps[: plan.before_gate], steps[plan.before_gate :]
    _apply(before, 1, child, made)
    if not kind.has_made(plan.steps[: plan.before_gate]):
        _say_prepared()
    # The start gate: the record is written while we wait here.
    names, fds = _wait_at(sync)
    woken = monotonic_ns()
    place(dict(zip(unpack(names), fds)), one_pipe=plan.one_pipe)  # noqa: B905 - the kernel may drop some
    report(0, 0, woken, monotonic_ns())
    _apply(after, 1 + plan.before_gate, child, made)
    _exec(plan, child)


def _take_plan(sync: socket, child: Child) -> tuple[Plan, list[Step]]:
    """Return the plan and its steps; what came with it is the child's."""
    words, container = _wait_at(sync)
    plan = Plan.unpack(words)
    child.rootfs = plan.rootfs
    if container:
        child.container = container[0]
    return plan, make_steps(plan.steps)


def _wait_at(sync: socket) -> tuple[bytes, list[int]]:
    """Return the parent's next message.

    Without one the parent is gone, or has no use for this child any more: then the child ends.
    """
    message = receive(sync)
    if not message[0]:
        os._exit(0)
    return message


def _say_prepared() -> None:
    """Say which process will be the program: the kernel adds its pid. It leads a session, as its parent did."""
    if os.getpgrp() != os.getpid():
        os.setsid()
    os.write(SYNC, PREPARED)


def _apply(steps: list[Step], first: int, child: Child, made: Made) -> None:
    """Apply steps and report them, counted from ``first``; a refusal that is not optional ends the child with 125."""
    for number, step in enumerate(steps, first):
        answer, start, end = made.get(step.name) or _make(step, child)
        report(number, answer, start, end)
        if answer and answer not in step.optional_errnos:
            os._exit(125)


def _make(step: Step, child: Child) -> tuple[int, int, int]:
    """Make its call; return the errno, or 0, and the times before and after it."""
    start = monotonic_ns()
    try:
        step.apply(child)
    except OSError as error:
        return error.errno or errno.EIO, start, monotonic_ns()
    return 0, start, monotonic_ns()


def _exec(plan: Plan, child: Child) -> NoReturn:
    """Try the candidates in turn, as execvp does: only "not here" leads on to the next folder of PATH."""
    argv, env = plan.argv, plan.env
    refused = 0
    for path in plan.candidates:
        start = monotonic_ns()
        try:
            program, words = (path, argv) if child.inside else from_inside(child, path, argv)
            report(EXEC, NO_ANSWER, start, 0)
            os.execve(program, words, env)
        except OSError as error:
            number = error.errno or errno.EIO
        except (ValueError, MemoryError) as error:
            number = errno.ENOMEM if isinstance(error, MemoryError) else errno.EINVAL
        report(EXEC, number, start, monotonic_ns())
        if number == errno.EACCES:
            refused = number
        elif number not in (errno.ENOENT, errno.ENOTDIR) or len(plan.candidates) == 1:
            refused = number
            break
    os._exit(127 if refused in (0, errno.ENOENT) else 126)
