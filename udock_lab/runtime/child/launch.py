"""Fork, start gate, steps, execve: the child's side of a container, to be read from top to bottom.

The parent forks a :class:`Fresh` child with :func:`fork_child`. The child waits at its start gate, a sync socket. The
parent sends the plan, which the child reads while the parent writes the record; when the parent then opens the
gate, the child applies the steps, says "about to exec" and becomes the program. Everything it has to say goes
through a close-on-exec pipe; end-of-file there means exec worked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import time

from udock_lab.isolation import sequence  # noqa: F401 - so the steps of its layers are known by name
from udock_lab.isolation.step import Child, Step, make_step
from udock_lab.linux.dispositions import forget_inherited_signals
from udock_lab.linux.resolve import resolve_in_root, shebang
from udock_lab.runtime.child.plan import Plan
from udock_lab.runtime.child.rehearse import rehearse
from udock_lab.runtime.child.reports import EXEC, NO_ANSWER
from udock_lab.wire.framing import adopt, pack, pair, receive, send, unpack

__all__ = ["Fresh", "brief", "fork_child", "may_open_many", "open_gate"]

SYNC, REPORTS = Child.SYNC, Child.REPORTS  # what the child keeps open besides 0, 1 and 2
STDIN, TERMINAL = "stdin", "terminal"  # descriptors that come through the start gate, by their names
_WITH_STDIN, _WITH_BOTH = pack([STDIN]), pack([STDIN, TERMINAL])
UMASK = 0o022  # a program's files may be read by everybody and written by their owner, whatever the caller's umask

FILES = resource.getrlimit(resource.RLIMIT_NOFILE)  # what a program may open: as much as its caller

_now = time.monotonic_ns

TYPE_CHECKING = False  # the module typing would be one more thing to copy at each fork
if TYPE_CHECKING:
    from _socket import socket
    from typing import NoReturn


class Fresh:
    """A child that waits at its start gate, seen from the parent. All file descriptors are the parent's ends.

    ``fork_start`` and ``fork_end`` are nanoseconds of CLOCK_MONOTONIC.
    """

    DESCRIPTORS = 5

    def __init__(self, pid: int, fds: list[int], fork_start: int, fork_end: int) -> None:
        sync, self.reports, self.stdout, self.stderr, self.pidfd = fds
        self.pid = pid
        self.sync = adopt(sync)
        self.briefed = False
        self.fork_start = fork_start
        self.fork_end = fork_end

    def fds(self) -> list[int]:
        """Return the descriptors, in the order in which ``Fresh`` takes them."""
        return [self.sync.fileno(), self.reports, self.stdout, self.stderr, self.pidfd]

    def close(self) -> None:
        """Close our ends; a child that still waits at its start gate sees end-of-file there, and goes."""
        self.sync.close()
        for fd in (self.reports, self.stdout, self.stderr, self.pidfd):
            os.close(fd)


def may_open_many() -> None:
    """Raise the limit on open files as far as the kernel permits.

    A supervisor holds about five for each of its containers.
    """
    with_all = (FILES[1], FILES[1])
    if with_all != FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, with_all)


def fork_child(*, rehearsed: bool) -> Fresh:
    """Fork a child in its own session, which waits at its start gate (fork(2)).

    Only a single-threaded process may call this.
    """
    ours, theirs = pair()
    reports, reports_out = os.pipe()
    stdout, stdout_in = os.pipe()
    stderr, stderr_in = os.pipe()
    start = _now()
    try:
        pid = os.fork()
    except OSError:
        for fd in (ours.detach(), theirs.detach(), reports, reports_out, stdout, stdout_in, stderr, stderr_in):
            os.close(fd)
        raise
    if pid == 0:
        say = reports_out
        try:
            _keep_only(theirs.fileno(), reports_out, stdout_in, stderr_in)
            say = REPORTS
            _be_a_container(rehearsed)
        except OSError as error:  # no descriptor was left, most likely
            _report(0, error.errno or errno.EIO, _now(), _now(), say)
        finally:
            os._exit(125)
    end = _now()
    theirs.close()
    for fd in (reports_out, stdout_in, stderr_in):
        os.close(fd)
    for fd in (reports, stdout, stderr):
        os.set_blocking(fd, False)
    return Fresh(pid, [ours.detach(), reports, stdout, stderr, os.pidfd_open(pid)], start, end)


def brief(child: Fresh, plan: bytes, container: int = -1) -> None:
    """Tell the child what it will do (:meth:`Plan.pack`). It reads that and waits on for the start gate to open.

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
# blocked, the umask is 022, and only file descriptors 0, 1, 2 survive exec.


def _keep_only(sync: int, reports: int, stdout: int, stderr: int) -> None:
    """Close all of the parent's files: a copy kept here would hide an end-of-file from somebody."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, REPORTS + 1) for fd in (sync, reports, stdout, stderr)]
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(high[2], 1)
    os.dup2(high[3], 2)
    os.dup2(high[0], SYNC, inheritable=False)
    os.dup2(high[1], REPORTS, inheritable=False)
    os.closerange(REPORTS + 1, 1 << 20)


def _be_a_container(rehearsed: bool) -> NoReturn:
    forget_inherited_signals()  # Python's SIGPIPE, and what the caller ignored
    os.setsid()  # from here on there is a process group, which may be signalled
    os.umask(UMASK)
    if resource.getrlimit(resource.RLIMIT_NOFILE) != FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, FILES)  # the one above us was raised: it serves many
    sync = adopt(SYNC)
    if rehearsed:
        rehearse()
    words, entered = _wait_at(sync)
    plan = Plan.unpack(words)
    child = Child(plan.rootfs)
    if entered:
        child.container = entered[0]
    steps = [make_step(words) for words in plan.steps]
    names, fds = _wait_at(sync)
    woken = _now()
    _place(dict(zip(unpack(names), fds)), one_pipe=plan.one_pipe)  # noqa: B905 - the kernel may drop some
    _report(0, 0, woken, _now())
    for number, step in enumerate(steps, 1):
        _apply(number, step, child)
    _exec(plan, child)


def _wait_at(sync: socket) -> tuple[bytes, list[int]]:
    """Return the parent's next message.

    Without one the parent is gone, or has no use for this child any more: then the child ends.
    """
    message = receive(sync)
    if not message[0]:
        os._exit(0)
    return message


def _place(fds: dict[str, int], *, one_pipe: bool) -> None:
    """Put standard input, or all three from a terminal, where the program expects them.

    ``one_pipe``: both outputs go through one pipe, so that what is written in order stays in order.
    """
    if one_pipe:
        os.dup2(1, 2)
    if STDIN in fds:
        os.dup2(fds[STDIN], 0)
    if TERMINAL in fds:
        for target in (0, 1, 2):
            os.dup2(fds[TERMINAL], target)


def _apply(number: int, step: Step, child: Child) -> None:
    """Apply one step; a refusal that is not optional ends the child with 125."""
    start = _now()
    try:
        step.apply(child)
    except OSError as error:
        _report(number, error.errno or errno.EIO, start, _now())
        if error.errno not in step.optional_errnos:
            os._exit(125)
    else:
        _report(number, 0, start, _now())


def _exec(plan: Plan, child: Child) -> NoReturn:
    """Try the candidates in turn, as execvp does: only "not here" leads on to the next folder of PATH."""
    argv, env = plan.argv, plan.env
    refused = 0
    for path in plan.candidates:
        start = _now()
        try:
            program, words = (path, argv) if child.inside else _from_inside(child, path, argv)
            _report(EXEC, NO_ANSWER, start, 0)
            os.execve(program, words, env)
        except OSError as error:
            number = error.errno or errno.EIO
        except (ValueError, MemoryError) as error:
            number = errno.ENOMEM if isinstance(error, MemoryError) else errno.EINVAL
        _report(EXEC, number, start, _now())
        if number == errno.EACCES:
            refused = number
        elif number not in (errno.ENOENT, errno.ENOTDIR) or len(plan.candidates) == 1:
            refused = number
            break
    os._exit(127 if refused in (0, errno.ENOENT) else 126)


def _from_inside(child: Child, path: str, argv: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Look the program, and a script's interpreter, up inside the root all the same, where there is no chroot."""
    program = resolve_in_root(child.rootfs, path, child.workdir)
    line = shebang(program) if os.access(program, os.X_OK) else None
    if line is None:
        return program, argv
    interpreter, argument = line
    return (
        resolve_in_root(child.rootfs, interpreter, child.workdir),
        (interpreter, *([argument] if argument else []), program, *argv[1:]),
    )


def _report(number: int, answer: int, start: int, end: int, to: int = REPORTS) -> None:
    os.write(to, b"%d %d %d %d\n" % (number, answer, start, end))
