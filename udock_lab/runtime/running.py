"""How a run goes: its spec is completed, a supervisor is asked for it, and it is followed to its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext

from udock_lab.errors import Conflict, Interrupted, LetGo, MdockError, Unsupported, UsageError
from udock_lab.model import ContainerSpec, Record, RunResult
from udock_lab.model.value import replace
from udock_lab.runtime.child.reports import NO_ANSWER
from udock_lab.runtime.client.attach import Attachment
from udock_lab.runtime.client.connection import Connection
from udock_lab.runtime.client.link import Input, Link
from udock_lab.runtime.client.planning import Planned
from udock_lab.runtime.client.result import raise_refusal, run_result, start_notes
from udock_lab.runtime.protocol import Ended, Event, Output, Refused, Started
from udock_lab.runtime.runio import RunIO
from udock_lab.runtime.state.extras import load_spec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.rootsource import Directory, RootSource, root_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.runtime.client.typed import Keys, Lines
    from udock_lab.runtime.runio import OnNote
    from udock_lab.runtime.started import StartedRun

__all__ = ["Runs", "first_process", "in_a_notebook", "no_advice", "root_source", "spec_inside"]


class Runs:
    """The runs of one runtime, each handed to a supervisor and followed to its end.

    ``raises_interrupts``: an interrupted run raises; a command line ends with the container's code instead.
    """

    def __init__(self, home: Home, connection: Connection, *, raises_interrupts: bool) -> None:
        self._home = home
        self._connection = connection
        self._raises_interrupts = raises_interrupts
        self._until_closed = ExitStack()

    def close(self) -> None:
        """Give back the signals that a command line's last run took."""
        self._until_closed.close()

    def follow(self, planned: Planned, io: RunIO, advise: Callable[[], str], container: int | None = None) -> RunResult:
        """Hand the request over and follow the container to its end (detached: to its start).

        ``container``: a pidfd of the first process of the one that is entered.
        """
        request, spec, told = planned.request, planned.request.spec, _Told(planned, io, advise)
        what = f"exec in {planned.entered}" if planned.entered else ""
        connection = self._connection
        attachment = Attachment(io.on_output, told.hear, connection.supervisors, what)
        with (
            closing(attachment),
            self._freed(io.on_note),
            self._signals_of(attachment),
            _input_of(spec, io.source()) as (fd, typed),
        ):
            if typed is not None:  # who passes on what is typed wants to know to whom
                request = replace(request, announce=True)
            brought = [one for one in (container, fd) if one is not None]
            attachment.ask(lambda far_end: connection.request(request, [far_end, *brought]))
            last = _last_event(attachment, spec, typed)
        result = self._conclude(last, attachment.link, told)
        if attachment.asked.interrupts and not spec.detach and self._raises_interrupts:
            raise _interrupted(planned, result, io.on_note)
        return result

    def start(self, planned: Planned, io: RunIO, advise: Callable[[], str], held: ExitStack) -> StartedRun:
        """Hand the request over, and have the container followed by the event loop that runs in this thread.

        ``held`` is what the run needs until its end; it takes that over. UsageError without a loop.
        """
        from udock_lab.runtime.client.inloop import Follower, running_loop
        from udock_lab.runtime.started import StartedRun

        loop, told, connection = running_loop(), _Told(planned, io, advise), self._connection
        request = replace(planned.request, announce=True)
        link = held.enter_context(closing(Link(_typed_later(request.spec, io))))
        fd = link.input.far_end if link.input is not None else held.enter_context(_given_input(io.source()))
        link.ask(lambda far_end: connection.request(request, [far_end] if fd is None else [far_end, fd]))

        def on_said(said: Event | Output) -> None:
            if not isinstance(said, Output):
                told.hear(said)
            elif io.on_output is not None:
                io.on_output(said.stream, said.data)
            if isinstance(said, Started) and link.input is not None:
                link.input.hand_over()

        return StartedRun(Follower(link, loop), on_said, lambda last: self._conclude(last, link, told), held.pop_all())

    def _conclude(self, last: Event, link: Link, told: _Told) -> RunResult:
        """Make the result of a run's last event, and tell what is to be told of it; or raise the refusal."""
        if isinstance(last, Refused):
            self._connection.reap()
            raise_refusal(last)
        result = run_result(self._home, told.planned, last, link, told.advise)
        if not result.detached:
            self._connection.reap()
        told.end(result)
        return result

    def _signals_of(self, attachment: Attachment) -> AbstractContextManager[object]:
        """Send signals to the container until its end.

        On a command line they are not ours again afterwards: one that comes as mdock ends with the container's code
        would end it with another.
        """
        self._until_closed.close()
        if self._raises_interrupts:
            return attachment.signals()
        self._until_closed.enter_context(attachment.signals())
        return nullcontext()

    @contextmanager
    def _freed(self, on_note: OnNote | None) -> Iterator[None]:
        """Let the caller go: tell a command line why (a cell shows it).

        The next run asks another supervisor.
        """
        try:
            yield
        except LetGo as freed:
            if freed.stopped:
                self._connection.abandon()
            if on_note is not None and not self._raises_interrupts and not freed.unread:
                on_note(f"{freed.message}\n{freed.hint}")
            raise


def _last_event(attachment: Attachment, spec: ContainerSpec, typed: Keys | Lines | None) -> Event:
    """Follow it to its end, or a detached one to its start; a refusal may come instead."""
    terminal = spec.tty and not spec.detach
    last = attachment.follow(Started if spec.detach else Ended, terminal=terminal, typed=typed)
    if isinstance(last, Started) and _never_started(last):
        last = attachment.follow(Ended)
    return last


def _never_started(started: Started) -> bool:
    return not started.reports or started.reports[-1][1] != NO_ANSWER


class _Told:
    """What is told of one run beside its output: its id at the start, notes, why it failed. Each is told once."""

    def __init__(self, planned: Planned, io: RunIO, advise: Callable[[], str]) -> None:
        self.planned = planned
        self.advise = advise
        self._io = io
        self._notes = 0  # that were told at the start

    def hear(self, event: Event) -> None:
        """Tell that it has started, and what there is to say of that."""
        if not isinstance(event, Started):
            return
        if self._io.on_start is not None:
            self._io.on_start(event.id)
        if self._io.on_note is not None:
            for note in start_notes(event.reports, self.planned.plan.names, self.advise):
                self._notes += 1
                self._io.on_note(note)

    def end(self, result: RunResult) -> None:
        """Tell the rest."""
        if self._io.on_note is None:
            return
        for note in result.notes[self._notes :]:
            self._io.on_note(note)
        if result.failure is not None:
            self._io.on_note("\n".join(filter(None, (result.failure.message, result.failure.hint))))


def _interrupted(planned: Planned, result: RunResult, on_note: OnNote | None) -> Interrupted:
    """Return the interrupt, after a word on how the program ended."""
    code = result.exit_code or 0
    what = f"exec in {result.id}" if planned.entered else result.id
    if on_note is not None:
        by = f" (128 + {result.exit_status.signal_name})" if result.exit_status and result.exit_status.signaled else ""
        on_note(f"{what} was interrupted: exit {code}{by}")
    kept = result.id if not planned.entered and not planned.request.spec.remove else ""
    hint = f"What it wrote: %mdock logs {kept}" if kept else ""
    return Interrupted(f"{what} was interrupted: exit {code}", hint, kept)


@contextmanager
def first_process(home: Home, record: Record) -> Iterator[int]:
    """Give a pidfd of the container's first process, for ``exec``; Conflict if it has ended since it was looked up."""
    from udock_lab.runtime.signalling import its_pidfd

    with its_pidfd(home, record) as pidfd:
        if pidfd is None:
            raise Conflict(f"Container '{record.id}' is not running.", f"Start another one: mdock run {record.image}")
        yield pidfd


def no_advice() -> str:
    """Give no advice: the caller said how the container is to be isolated."""
    return ""


def in_a_notebook() -> bool:
    """Return whether this process is the kernel of a notebook.

    What it starts may not end it with kill(-1).
    """
    app = sys.modules.get("ipykernel.kernelapp")
    return app is not None and bool(app.IPKernelApp.initialized())


# -- what a run needs beside its spec -----------------------------------------------------------------------


def root_source(home: Home, rootfs: str, *, copy: bool) -> AbstractContextManager[tuple[RootSource, str]]:
    """Give the root of a new container, made where it has to be, and the name of the claim on it, if there is one."""
    if not copy:
        return nullcontext((Directory(path=rootfs), ""))
    from udock_lab.runtime.image.privatecopy import private_copy

    return private_copy(home, rootfs)


def spec_inside(home: Home, record: Record, wanted: ContainerSpec) -> tuple[ContainerSpec, RootSource]:
    """Return the spec of one more program in a container, and its root; ``wanted`` comes on top of the container's own.

    MdockError where it is not known how the container was started, Unsupported where exec cannot follow.
    """
    kept = load_spec(home, record.id)
    stored, root = kept.asked, root_of(kept.asked)
    if root is None:
        raise MdockError(
            f"mdock does not know how {record.id} was started: {kept.unknown or 'its spec is damaged'}.",
            f"Stop it and run it again: mdock stop {record.id}",
        )
    if stored.layers:
        layers = [name for name, _ in stored.layers]
        raise Unsupported(
            f"{record.id} was started with layers of isolation that exec cannot enter yet: {', '.join(layers)}.",
            f"See them with: mdock inspect {record.id}   Start the program in a new container instead: mdock run",
        )
    spec = ContainerSpec(
        image=record.image,
        argv=wanted.argv,
        env=tuple((dict(stored.env) | dict(wanted.env)).items()),
        workdir=wanted.workdir or stored.workdir or "/",
        limits=stored.limits,
        userns=bool(stored.userns),
        tty=wanted.tty,
        interactive=wanted.interactive,
        guard=in_a_notebook() if wanted.guard is None else wanted.guard,
    )
    return spec, root


# -- standard input -----------------------------------------------------------------------------------------


@contextmanager
def _input_of(spec: ContainerSpec, stdin: int | bytes | None) -> Iterator[tuple[int | None, Keys | Lines | None]]:
    """Give the descriptor to hand over, and what passes on what is typed.

    A person's terminal is never handed over.
    """
    with _stdin_fd(stdin) as fd:
        if fd is None or (spec.tty and (spec.detach or not spec.interactive)):
            yield None, None
        elif spec.tty:
            from udock_lab.runtime.client.typed import Keys

            with closing(Keys(fd)) as keys:
                yield keys.far_end, keys
        elif not os.isatty(fd):
            with _blocking(fd):
                yield fd, None
        elif spec.detach:
            yield None, None
        else:
            from udock_lab.runtime.client.typed import Lines

            with closing(Lines(fd)) as lines:
                yield lines.far_end, lines


def _typed_later(spec: ContainerSpec, io: RunIO) -> Input | None:
    """Return the pipe into which the caller of ``start`` will type, None where it will not.

    UsageError for an input of which the event loop cannot take care.
    """
    if spec.detach:
        raise UsageError(
            "A detached run is followed by nobody, so there is nothing to start and to await.",
            "It returns at once: Runtime().run(..., detach=True)",
        )
    source = io.source()
    if source is not None and (spec.tty or (isinstance(source, int) and os.isatty(source))):
        raise UsageError(
            "What is typed at a terminal is not read while other things go on.",
            'Leave stdin out, start with interactive=True, and pass keys on: started.type("...")',
        )
    return Input(keys=spec.tty) if source is None and spec.interactive else None


@contextmanager
def _given_input(stdin: int | bytes | None) -> Iterator[int | None]:
    """Give the descriptor to hand over of an input that is no terminal."""
    with _stdin_fd(stdin) as fd:
        if fd is None:
            yield None
            return
        with _blocking(fd):
            yield fd


@contextmanager
def _blocking(fd: int) -> Iterator[None]:
    """Make the descriptor blocking inside the block, so that a program may wait for its input.

    Afterwards it is as it was for all who share this open file (fcntl(2), O_NONBLOCK).
    """
    before = os.get_blocking(fd)
    os.set_blocking(fd, True)
    try:
        yield
    finally:
        os.set_blocking(fd, before)


@contextmanager
def _stdin_fd(stdin: int | bytes | None) -> Iterator[int | None]:
    """Give a descriptor to hand over.

    Text travels in a memfd: however long it is, no process has to feed a pipe.
    """
    if stdin is None or isinstance(stdin, int):
        yield stdin
        return
    fd = os.memfd_create("mdock-stdin")
    try:
        view = memoryview(stdin)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)
