"""Runtime: everything mdock does, each method a short story over the files beside this one.

>>> runtime = Runtime()
>>> runtime.run("demo", ["/bin/sh", "-c", "exit 42"]).exit_code   # doctest: +SKIP
42
"""

from __future__ import annotations

import errno
import os
import select
import signal as signals
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from itertools import starmap
from typing import IO, TYPE_CHECKING, Any

from udock_lab.errors import Conflict, Interrupted, LetGo, MdockError, NotFound, StorageError, Unsupported, UsageError
from udock_lab.linux.process import descendants, is_dying, is_same_process, stopped
from udock_lab.model import (
    Container,
    ContainerSpec,
    Image,
    Isolation,
    Limits,
    Record,
    RunResult,
    Status,
)
from udock_lab.model.value import fields, replace
from udock_lab.runtime.child.reports import NO_ANSWER
from udock_lab.runtime.client.attach import Attachment
from udock_lab.runtime.client.connection import ForkedSupervisor, supervisors_of, the_launcher
from udock_lab.runtime.client.planning import Planned, exec_request, run_request
from udock_lab.runtime.client.result import isolation_of, raise_refusal, run_result, start_notes
from udock_lab.runtime.image.tree import remove_tree
from udock_lab.runtime.protocol import Ended, Event, ProbeRequest, Refused, Started
from udock_lab.runtime.state import containers, execs, settings, tables
from udock_lab.runtime.state.eventlog import last_exit, write_event
from udock_lab.runtime.state.extras import (
    NOTHING_KEPT,
    Identity,
    Kept,
    Listed,
    Reported,
    load_extra,
    load_spec,
    load_steps,
)
from udock_lab.runtime.state.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.state.images import (
    KnownImages,
    aside,
    build_image,
    find_image_by_name,
    list_images,
    retire_image,
)
from udock_lab.runtime.state.listing import EVERYTHING, Choice, Listing, Standing
from udock_lab.runtime.state.logs import read_log

if TYPE_CHECKING:
    from types import ModuleType

    from udock_lab.model import DoctorReport, Inspection, ProcessNode
    from udock_lab.runtime.client.typed import Keys, Lines
    from udock_lab.runtime.image.rootfs import RootfsReport

__all__ = ["Runtime"]

_DAY, _ZONE = 86400, 900  # seconds
_FORMAT = "%Y-%m-%dT%H:%M:%S"
_STOPPABLE_DESPITE = (*DISK_FULL, errno.EROFS)
_LOOK = 0.2  # seconds between two looks at a record whose process cannot be seen from here
OnOutput = Callable[[str, bytes], None]
OnNote = Callable[[str], None]
if TYPE_CHECKING:
    Word = str | bytes | os.PathLike[str] | float  # of a command line: what is no text stands for its text
    Variables = Mapping[str, Word] | Iterable[tuple[str, Word]] | Iterable[str]
    Stdin = int | bytes | str | IO[Any] | None
    Handle = Container | Record | RunResult  # what has a container id

_LONGEST_PAUSE = 2_000_000.0  # seconds; poll(2) counts milliseconds in 32 bits, and weeks are for ever


def _no_advice() -> str:
    """Give no advice: the caller said how the container is to be isolated."""
    return ""


class Runtime:
    """A home and the means to run containers in it.

    ``home``: ``$MDOCK_HOME`` or ``~/.mdock``. ``spare=False`` forks within each run instead of taking a
    pre-forked child (the spare), so that the fork stands inside its timeline. ``forked=True`` is for small
    single-threaded programs (the command line).
    """

    def __init__(self, home: str | os.PathLike[str] | None = None, *, spare: bool = True, forked: bool = False) -> None:
        self.home = Home(home)
        self.spare = _switch("spare", spare)
        self._connection = ForkedSupervisor() if _switch("forked", forked) else the_launcher()
        self._raises_interrupts = not forked  # a command line ends with the container's code instead
        self._until_closed = ExitStack()
        self._complained: set[bytes] = set()
        self._unsaid: list[str] = []
        self._images = KnownImages(self.home.images_db)

    def __repr__(self) -> str:
        return f"Runtime({self.home.path!r})"

    @property
    def launcher_pid(self) -> int | None:
        """Process id of the launcher, None before the first run."""
        return self._connection.pid

    def process_tree(self, kernel: int | None = None) -> tuple[ProcessNode, ...]:
        """Return the processes of this notebook, each named by what it is: kernel, launcher, forker, containers, ...

        ``kernel``: the process at the top, by default the caller. Containers that a terminal or an earlier kernel
        started stand as trees of their own.
        """
        from udock_lab.runtime.processes import named_trees

        if kernel is not None:
            kernel = _arguments().whole_number("kernel", kernel, "a process id", "os.getpid()", most=2**31 - 1)
        running = {container.record.pid: container.id for container in self.ps(running=True)}
        return named_trees(kernel or os.getpid(), self.launcher_pid, running)

    def close(self) -> None:
        """Let the launcher go. Detached containers run on, supervised to their end."""
        self._until_closed.close()
        self._connection.close()

    # --- images

    def build(
        self,
        name: str,
        directory: str | os.PathLike[str],
        *,
        force: bool = False,
        progress: Callable[[int, int], None] | None = None,
        on_note: OnNote | None = None,
    ) -> Image:
        """Copy ``directory`` into a new image. Conflict if the name is taken (``force`` replaces it).

        ``progress`` is told files and bytes so far; ``on_note`` what could not be copied faithfully.
        """
        name, directory, force = _image_name(name), _path("directory", directory), _switch("force", force)
        progress, on_note = _callback("progress", progress), _callback("on_note", on_note)
        inside: list[str] = []

        def keep(replaced: str) -> None:
            inside.extend(self._running_in(self.home.image_rootfs(name)))
            containers.keep_replaced(self.home, inside, replaced)

        image = build_image(
            self.home,
            name,
            directory,
            force=force,
            progress=progress,
            on_note=on_note,
            on_replaced=keep,
        )
        self._log("BUILD", image=name, source=os.path.abspath(directory))
        if inside and on_note is not None:
            on_note(f"What runs already goes on in the image as it was: {', '.join(inside)}.")
        return image

    def _running_in(self, rootfs: str) -> list[str]:
        """Return the containers whose processes live, here or elsewhere, and have this root file system."""
        alive = [
            record.id
            for record in self._records()
            if not containers.has_ended(record)
            and (containers.is_alive(self.home, record) or containers.elsewhere(self.home, record))
        ]
        return [name for name in alive if load_spec(self.home, name).asked.rootfs == rootfs]

    def demo(self, progress: Callable[[int, int], None] | None = None, *, on_note: OnNote | None = None) -> Image:
        """Return the image ``demo``, made when it is missing. Safe to call again.

        ``on_note`` is told what the root file system lacks on this machine, and what could not be copied faithfully.
        """
        from udock_lab.runtime.image.rootfs import make_rootfs

        progress, on_note = _callback("progress", progress), _callback("on_note", on_note)
        with suppress(NotFound):
            return find_image_by_name(self.home.images_db, "demo")
        self.home.create()
        with aside(self.home, "demo") as folder:
            report = make_rootfs(f"{folder}/rootfs")
            made = report.path
            for note in report.notes if on_note is not None else ():
                on_note(note)
            with suppress(Conflict):
                return self.build("demo", made, progress=progress, on_note=on_note)
            try:
                return find_image_by_name(self.home.images_db, "demo")
            except NotFound:
                return self.build("demo", made, force=True, progress=progress, on_note=on_note)

    def images(self) -> list[Image]:
        """Return all images, in the order of their building."""
        found, corrupt = list_images(self.home.images_db)
        self._complain(self.home.images_db, corrupt)
        return found

    def rmi(self, name: str | Image) -> None:
        """Remove an image. Conflict, with the list, while any container record uses it."""
        name = _image_name(name)
        with tables.locked(self.home):
            find_users = [record.id for record in self._records() if record.image == name]
            trash = retire_image(self.home, name, find_users)
        self._log("RMI", image=name)
        if trash:
            try:
                remove_tree(trash)
            except MdockError as error:
                raise type(error)(
                    f"Image '{name}' is removed, but not all of its files: {error.message}", error.hint
                ) from error

    def rootfs(self, directory: str | os.PathLike[str], programs: Iterable[Word] = ()) -> RootfsReport:
        """Make a root file system in ``directory``: busybox, or the host's own programs."""
        from udock_lab.runtime.image.rootfs import make_rootfs

        return make_rootfs(_path("directory", directory), _words("programs", programs))

    # --- run and exec

    def run(
        self,
        image: str | Image | ContainerSpec,
        argv: Iterable[Word] | None = None,
        *,
        env: Variables | None = None,
        workdir: str | os.PathLike[str] | None = None,
        memory: int | str | None = None,
        cpu: int | None = None,
        files: int | None = None,
        userns: bool | None = None,
        copy: bool | None = None,
        detach: bool | None = None,
        remove: bool | None = None,
        tty: bool | None = None,
        interactive: bool | None = None,
        guard: bool | None = None,
        layers: Variables | None = None,
        stdin: Stdin = None,
        on_output: OnOutput | None = None,
        on_note: OnNote | None = None,
        on_start: Callable[[str], None] | None = None,
        spare: bool | None = None,
        snapshots: bool = False,
        one_pipe: bool = False,
    ) -> RunResult:
        """Run a program in a new container and wait for its end (unless ``detach``).

        ``argv`` defaults to a shell, the switches to False. What a :class:`ContainerSpec` says is not said twice:
        beside one, the arguments from ``argv`` to ``layers`` are a UsageError. Words may be text, bytes, paths
        or numbers. ``memory`` in bytes (or "64M"), ``cpu`` in seconds, ``files`` a count: all per process
        (setrlimit(2)). ``stdin``: an open file or descriptor to inherit, or text or bytes to read; None is
        /dev/null. A terminal is not inherited: the lines typed there go through a pipe, or, with ``tty`` and
        ``interactive``, its keys. ``userns``: with or without a user namespace of its own; None: as the home's default
        has it (:meth:`configure`). ``guard``: refuse kill(-1), which would end the notebook; None: in a notebook's
        kernel, nowhere else. ``layers``: of isolation, each by its name with its value. ``on_output`` gets
        ("stdout" | "stderr", bytes) as they come, ``on_note`` mdock's own words, ``on_start`` the id at the start.
        ``one_pipe``: both outputs as one, in the order of writing (``2>&1``); all of it comes as stdout.
        ``snapshots``: look at the process in /proc before its first step and just before exec (``result.snapshots``).
        A program that fails is a result; so is one that never started (``result.failure``). An interrupt
        stops the container first and is raised then (Interrupted, a KeyboardInterrupt).
        """
        said = {"argv": argv, "env": env, "workdir": workdir, "memory": memory, "cpu": cpu, "files": files}
        said |= {"userns": userns, "copy": copy, "detach": detach, "remove": remove}
        said |= {"tty": tty, "interactive": interactive, "guard": guard, "layers": layers}
        spec = _spec(image, {name: value for name, value in said.items() if value is not None})
        listeners = _listeners(on_output, on_note, on_start)
        fresh = not _switch("spare", self.spare if spare is None else spare)
        snapshots, one_pipe = _switch("snapshots", snapshots), _switch("one_pipe", one_pipe)
        source = _standard_input(stdin)
        advise = self._userns_advice if spec.userns is None else _no_advice
        spec = self._with_defaults(spec)
        found = self._images.find(spec.image)
        self._complain(self.home.images_db, self._images.corrupt)
        with self._private_copy(found) if spec.copy else nullcontext(found.rootfs) as rootfs:
            one_pipe = one_pipe or spec.detach  # nobody is there to tell one output from the other: its log keeps order
            announce = listeners[2] is not None
            planned = run_request(
                self.home, spec, rootfs, snapshots=snapshots, one_pipe=one_pipe, fresh=fresh, announce=announce
            )
            return self._attend(planned, source, *listeners, advise)

    def exec(
        self,
        container_id: str | Handle,
        argv: Iterable[Word],
        *,
        env: Variables | None = None,
        workdir: str | os.PathLike[str] | None = None,
        tty: bool = False,
        interactive: bool = False,
        guard: bool | None = None,
        stdin: Stdin = None,
        on_output: OnOutput | None = None,
        on_note: OnNote | None = None,
        one_pipe: bool = False,
    ) -> RunResult:
        """Run one more program in a running container: its root, its user namespace, a supervisor of its own.

        It starts with the container's own variables, working directory and limits (which count per process);
        ``env`` and ``workdir`` come on top; the rest is as in :meth:`run`.
        """
        listeners, source = _listeners(on_output, on_note, None), _standard_input(stdin)
        said: dict[str, Any] = {"argv": argv, "env": () if env is None else env, "workdir": workdir}
        container_id, one_pipe = _id(container_id), _switch("one_pipe", one_pipe)
        if isinstance(argv, list | tuple) and not argv:
            raise UsageError("exec needs a program.", f"For instance: mdock exec {container_id} /bin/sh")
        wanted = ContainerSpec(image="", tty=tty, interactive=interactive, guard=guard, **said)
        record = self._running(container_id)
        kept = load_spec(self.home, record.id)
        stored, rootfs = kept.asked, kept.asked.rootfs
        if rootfs is None:
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
            guard=_in_a_notebook() if wanted.guard is None else wanted.guard,
        )
        planned = exec_request(self.home, spec, rootfs, record, one_pipe=one_pipe, fresh=not self.spare)
        return self._attend(planned, source, *listeners)

    def _attend(
        self,
        planned: Planned,
        stdin: int | bytes | None,
        on_output: OnOutput | None,
        on_note: OnNote | None,
        on_start: Callable[[str], None] | None,
        advise: Callable[[], str] = _no_advice,
    ) -> RunResult:
        """Hand the request over and follow the container to its end (detached: to its start)."""
        request, spec, said = planned.request, planned.request.spec, list[str]()

        def on_event(event: Event) -> None:
            if not isinstance(event, Started):
                return
            if on_start is not None:
                on_start(event.id)
            if on_note is not None:
                for note in start_notes(event.reports, planned.plan.names, advise):
                    said.append(note)
                    on_note(note)

        what = f"exec in {planned.entered}" if planned.entered else ""
        attachment = Attachment(on_output, on_event, self._connection.supervisors, what)
        terminal = spec.tty and not spec.detach
        connection = self._connection
        with (
            closing(attachment),
            self._freed(on_note),
            self._signals_of(attachment),
            _input_of(spec, stdin) as (fd, typed),
        ):
            attachment.ask(lambda far_end: connection.request(request, [far_end] + ([] if fd is None else [fd])))
            last = attachment.follow(Started if spec.detach else Ended, terminal=terminal, typed=typed)
            if isinstance(last, Started) and _never_started(last):
                last = attachment.follow(Ended)
            if isinstance(last, Refused):
                self._connection.reap()
                raise_refusal(last)
        result = run_result(self.home, planned, last, attachment, advise)
        if not result.detached:
            self._connection.reap()
        if on_note is not None:
            for note in result.notes[len(said) :]:
                on_note(note)
            if result.failure is not None:
                on_note("\n".join(filter(None, (result.failure.message, result.failure.hint))))
        if attachment.asked.interrupts and not spec.detach and self._raises_interrupts:
            raise _interrupted(planned, result, on_note)
        return result

    def _with_defaults(self, spec: ContainerSpec) -> ContainerSpec:
        """Return the spec with the home's defaults for what was not asked for in this run."""
        if spec.userns is not None and spec.guard is not None:
            return spec
        userns = self.settings()["userns"] if spec.userns is None else spec.userns
        return replace(spec, userns=userns, guard=_in_a_notebook() if spec.guard is None else spec.guard)

    def _userns_advice(self) -> str:
        """Return one line where chroot was refused and a user namespace would give it."""
        if self.settings()["userns"]:
            return ""
        from udock_lab.runtime.usernstrial import ADVICE

        return ADVICE if self._userns_would_work() else ""

    def _userns_would_work(self) -> bool:
        from udock_lab.runtime.usernstrial import userns_works

        return userns_works(self.home, lambda: self._probe("userns"))

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

    @contextmanager
    def _private_copy(self, image: Image) -> Iterator[str]:
        """Give one container a root file system of its own; remove it if mdock fails before there is a container."""
        from udock_lab.linux.unwinding import Unwinding
        from udock_lab.runtime.state.images import copy_tree

        self.home.create()
        with containers.making_private_folder(self.home) as folder:
            with Unwinding():
                try:
                    copy_tree(image.rootfs, f"{folder}/rootfs")
                except BaseException:
                    _remove_quietly(folder)
                    raise
            try:
                yield f"{folder}/rootfs"
            except MdockError:
                _remove_quietly(folder)
                raise

    # --- looking

    def ps(self, *, running: bool = False, choice: Choice = EVERYTHING, isolation: bool = True) -> list[Container]:
        """Return every container, running and ended alike, in the order of their records.

        ``choice``: only those that it takes; ``running``: only those whose process is alive. ``isolation=False``
        leaves that field empty, for which one more file of each container is read.
        """
        choice = choice.alive() if _switch("running", running) else choice
        found = self._listing().standings(choice)
        there = containers.with_extras(self.home)
        return [self._container(one, isolation=isolation, has_files=there is None or one.id in there) for one in found]

    def ids(self, choice: Choice = EVERYTHING) -> list[str]:
        """Return the ids of every container, or of those that the choice takes, and read no more than that needs."""
        return self._listing().ids(choice)

    def _listing(self) -> Listing:
        return Listing(self.home.containers_db, self.records, self._stand)

    def records(self) -> list[Record]:
        """Return every record as the table has it; no process is looked for."""
        return self._records()

    def _look_up(self, container_id: str) -> Container:
        """Return the container as it is now. What seems orphaned is looked at twice, as in :meth:`ps`."""
        standing = self._stand(containers.find(self.home, container_id))
        if standing.is_orphaned:
            standing = self._stand(containers.find(self.home, container_id))
        return self._container(standing)

    def _stand(self, record: Record) -> Standing:
        """Compare the record with what the kernel says of that very process."""
        if containers.has_ended(record):
            return Standing(record, record.status.value)
        kept = load_spec(self.home, record.id)
        alive = containers.is_alive(self.home, record, kept)
        if not alive:
            kept = self._spec_of_the_newest(record) if kept.unknown else kept
            record = self._await_last_word(record, kept)
        state = record.status.value
        elsewhere = "" if alive else containers.elsewhere(self.home, record)
        if elsewhere:
            state = f"elsewhere ({elsewhere})"
        elif not containers.has_ended(record) and not alive:
            state = f"{'exited' if record.status is Status.RUNNING else state} (orphaned)"
        elif alive and record.status is not Status.RUNNING:
            state = "stopping"
        return Standing(record, state, alive=alive, elsewhere=elsewhere, kept=kept)

    def _container(self, standing: Standing, *, isolation: bool = True, has_files: bool = True) -> Container:
        """Add what the container's own files say."""
        record, kept = standing.record, standing.kept
        if kept is None:
            kept = load_spec(self.home, record.id) if has_files else NOTHING_KEPT
        listed = kept.listed
        return Container(
            record=record,
            state=standing.state,
            alive=standing.alive,
            uptime=_uptime(kept.identity, record) if standing.alive else None,
            command=" ".join(listed.argv),
            isolation=self._isolation(record.id, listed) if isolation and has_files else None,
            elsewhere=standing.elsewhere,
        )

    def _spec_of_the_newest(self, record: Record) -> Kept:
        """Return the spec; a program may have ended some milliseconds before its spec was written down."""
        patience = time.monotonic() + 0.3
        kept = load_spec(self.home, record.id)
        while kept.unknown and _started_lately(record) and time.monotonic() < patience:
            time.sleep(0.005)
            kept = load_spec(self.home, record.id)
        return kept

    def _await_last_word(self, record: Record, kept: Kept, patience: float = 0.5) -> Record:
        """Return the record once its end is written, or after ``patience`` seconds.

        The process is gone and its supervisor lives: it is about to write the end.
        """
        deadline = time.monotonic() + patience
        while _supervisor_lives(kept.identity):
            try:
                found = containers.find(self.home, record.id)
            except NotFound:
                return self._end_of_removed(record)
            if found.end_time is not None and record.end_time is None and kept.asked.remove:
                deadline = min(deadline, time.monotonic() + 0.5)  # its removal follows at once
            record = found
            if (record.end_time is not None and not kept.asked.remove) or time.monotonic() > deadline:
                break
            if _stopped_supervisors(kept.identity):
                break
            time.sleep(0.005)
        return record

    def _end_of_removed(self, record: Record, patience: float = 1.0) -> Record:
        """Return the record of a container that is removed at its end (``run --rm``).

        The event log knows it, a moment later. ``patience`` is in seconds.
        """
        deadline = time.monotonic() + patience
        while (end := last_exit(self.home, record.id)) is None and time.monotonic() < deadline:
            time.sleep(0.005)
        return containers.ended(record, end[1], end[0], end[2]) if end else record

    def _isolation(self, container_id: str, listed: Listed) -> Isolation | None:
        steps = load_steps(self.home, container_id, Reported)
        if steps.reports is None:
            return None
        with suppress(LookupError):  # somebody edited the file
            return isolation_of(bool(listed.userns), steps.reports, steps.names)
        return None

    def inspect(self, name: str | Handle | Image) -> Inspection:
        """Return everything known of a container id, or of an image.

        Names with a capital are docker's for the same.
        """
        name = _image_name(name) if isinstance(name, Image) else _id(name, "name")
        try:
            containers.check_id(name)
        except UsageError:
            return self._inspect_image(name)
        container = self._look_up(name)
        data: dict[str, object] = {"id": name, "state": container.state, "alive": container.alive}
        data["elsewhere"] = container.elsewhere or None
        data |= {"record": fields(container.record), "uptime_seconds": container.uptime}
        data["isolation"] = container.isolation.value if container.isolation else None
        data["spec"] = load_extra(self.home, name, "spec")
        data["steps"] = load_extra(self.home, name, "steps")
        data["log"] = log = self.home.container_log(name)
        from udock_lab.model import Inspection
        from udock_lab.runtime.dockernames import container_fields

        data |= container_fields(container, load_spec(self.home, name), log)
        return Inspection(kind="container", data=data)

    def _inspect_image(self, name: str) -> Inspection:
        image = find_image_by_name(self.home.images_db, name)
        users = [record.id for record in self._records() if record.image == name]
        from udock_lab.model import Inspection
        from udock_lab.runtime.dockernames import image_fields

        return Inspection(kind="image", data=fields(image) | {"used_by": users} | image_fields(image))

    def logs(self, container_id: str | Handle, *, tail: int | None = None) -> bytes:
        """Return what the container wrote, or its last ``tail`` lines. For a long log see :meth:`read_logs`."""
        return b"".join(self.read_logs(container_id, tail=tail))

    def follow_logs(self, container_id: str | Handle, *, tail: int | None = None) -> Iterator[bytes]:
        """Yield the log so far, then what is added, until the container has ended or is removed."""
        return self.read_logs(container_id, tail=tail, follow=True)

    def read_logs(
        self,
        container_id: str | Handle,
        *,
        tail: int | None = None,
        follow: bool = False,
        on_idle: Callable[[], object] | None = None,
    ) -> Iterator[bytes]:
        """Yield the log in chunks; ``tail``: its last lines only, ``follow``: until the container has ended.

        ``on_idle`` is called now and then while there is nothing to add; what it raises ends the reading.
        """
        name = _id(container_id)
        if tail is not None and (type(tail) is not int or tail < 0):
            tail = _arguments().whole_number("tail", tail, "a number of lines", "tail=20", smallest=0)
        ended = (lambda: self._has_ended(name)) if _switch("follow", follow) else None
        containers.find(self.home, name)
        return read_log(self.home.container_log(name), tail=tail, ended=ended, idle=on_idle)

    def _has_ended(self, container_id: str) -> bool:
        try:
            container = self._look_up(container_id)
            return not container.alive and not container.elsewhere
        except NotFound:  # removed meanwhile: an open log is still read to its end
            return True

    def doctor(self) -> DoctorReport:
        """Return what this machine permits, each feature tried for real in a child, and what this home is set to."""
        from udock_lab.runtime.doctor import report_from_json

        data = self._probe("everything")
        if not data:
            raise MdockError(
                "The probe of this machine was killed, or no process and no file was left to it.",
                "Try again: mdock doctor   (limits of this shell: ulimit -a)",
            )
        return replace(report_from_json(data), settings=tuple(self.settings().items()))

    def _probe(self, what: str) -> bytes:
        """Return the answer of a child that tries something; empty if it was killed, twice."""
        return self._answer(what) or self._answer(what)  # once more: its launcher may have died, and nothing changes

    def _answer(self, what: str) -> bytes:
        read, write = os.pipe()
        with open(read, "rb") as answer:
            try:
                self._connection.request(ProbeRequest(what=what), [write])
            finally:
                os.close(write)
            data = answer.read()
        self._connection.reap()
        return data

    def settings(self) -> dict[str, bool]:
        """Return this home's defaults: each setting there is, as it was set or, unset, off."""
        found, corrupt = settings.load(self.home)
        self._complain(self.home.config, corrupt)
        return {name: found.get(name, False) for name in settings.SETTINGS}

    def configure(self, name: str, value: bool) -> None:
        """Set a default of this home. Unsupported where this machine refuses what is to be switched on."""
        name, value = _arguments().text("name", name, "the name of a setting", "userns"), _switch("value", value)
        settings.check_name(name)
        if value and name == "userns" and not self._userns_would_work():
            raise Unsupported(
                "This machine refuses user namespaces, so with userns on every run would fail.",
                "See why, and what would help: mdock doctor",
            )
        settings.save(self.home, name, value)

    def complaints(self) -> list[str]:
        """Return a sentence for each line that did not parse in the tables read so far; each is said once."""
        said, self._unsaid = self._unsaid, []
        return said

    def _records(self) -> list[Record]:
        found, corrupt = containers.read_all(self.home)
        self._complain(self.home.containers_db, corrupt)
        return found

    def _complain(self, path: str, corrupt: list[bytes]) -> None:
        for line in corrupt:
            if line not in self._complained:
                self._complained.add(line)
                shown = line[:60].decode("utf-8", "backslashreplace")
                table = os.path.basename(path)
                self._unsaid.append(f"{table} has a line that is no record; it is kept as it is: {shown!r}")

    # --- ending

    def stop(self, container_id: str | Handle, timeout: float | None = 5.0) -> Record:
        """Send SIGTERM, then SIGKILL after ``timeout`` seconds (None: never); return as soon as the container is gone.

        A container that has ended already is left as it is; Conflict for one that runs elsewhere.
        """
        container_id, timeout = _id(container_id), _arguments().seconds("timeout", timeout)
        record = containers.find(self.home, container_id)
        with self._pidfd(record) as pidfd:
            if pidfd is None:
                self._refuse_elsewhere(self._look_up(container_id))
                self._end_execs(record.id)
                return self._await_last_word(record, load_spec(self.home, record.id))
            below = descendants(record.pid)
            with self._intent(record, pidfd, Status.STOPPED) as stands:
                if not stands:
                    return containers.find(self.home, container_id)
                _signal(record.pid, pidfd, signals.SIGTERM)
                _signal(record.pid, pidfd, signals.SIGCONT)
                self._log("STOP", id=record.id, pid=record.pid)
            killed = False
            if not _gone(pidfd, timeout):
                below = descendants(record.pid)
                killed = self._kill_now(record, pidfd)
            return self._settle(record, pidfd, below, killed=killed)

    def kill(self, container_id: str | Handle, signal: int | str = signals.SIGKILL) -> Record:
        """Send a signal (by number or name) to the container's process group. SIGKILL waits for the end."""
        container_id, number = _id(container_id), int(_arguments().signal_number("signal", signal))
        record = self._running(container_id)
        with self._pidfd(record) as pidfd:
            if pidfd is None:
                raise Conflict(f"Container '{container_id}' is not running.")
            if number != signals.SIGKILL:
                _ask_permission(record.pid, pidfd)
                self._log("KILL", id=container_id, signal=_signal_name(number))
                _signal(record.pid, pidfd, number)
                return containers.find(self.home, container_id)
            below = descendants(record.pid)
            with self._intent(record, pidfd, Status.KILLED) as stands:
                if stands:
                    _signal(record.pid, pidfd, number)
                    self._log("KILL", id=record.id, pid=record.pid)
            return self._settle(record, pidfd, below, killed=True)

    def wait(self, container_id: str | Handle) -> Record:
        """Wait for the end; the final record. An orphaned container has none: MdockError."""
        container_id = _id(container_id)
        record = containers.find(self.home, container_id)
        with self._pidfd(record) as pidfd:
            if pidfd is not None:
                _gone(pidfd, None)
        while containers.elsewhere(self.home, record):  # its supervisor tells us, through the table
            time.sleep(_LOOK)
            with suppress(NotFound):
                record = containers.find(self.home, container_id)
        record = self._await_last_word(record, load_spec(self.home, record.id), 15.0)
        try:
            record = containers.find(self.home, container_id)
        except NotFound:
            record = self._end_of_removed(record)
            if not containers.has_ended(record):
                raise
        stuck = _stopped_supervisors(load_spec(self.home, container_id).identity)
        if not containers.has_ended(record) and stuck:
            pids = " ".join(map(str, stuck))
            raise MdockError(
                f"{container_id} has ended, and how is not known: process {pids}, which supervises it, is stopped.",
                f"Continue with: kill -CONT {pids}   Then its end is recorded.",
            )
        if not containers.has_ended(record):
            raise MdockError(
                f"{container_id} is orphaned: its supervisor was killed, so how it ended is not known.",
                f"Remove its record with: mdock rm {container_id}",
            )
        return record

    def rm(self, container_id: str | Handle, *, force: bool = False) -> None:
        """Remove an ended container: record, log, private files. Conflict while it runs.

        ``force`` kills it first; one that runs elsewhere cannot be killed from here, and is removed all the same.
        """
        container_id, force = _id(container_id), _switch("force", force)
        container = self._look_up(container_id)
        if not (force and container.alive):
            self._remove(container_id, force=force)
            if container.elsewhere:
                left = _runs_elsewhere(container).message
                self._unsaid.append(f"{left} Its record and its files are removed; its program was not ended.")
            return
        self.kill(container_id)
        with suppress(NotFound):  # run --rm removes it too
            self._remove(container_id)

    def prune(self, on_refused: Callable[[MdockError], None] | None = None) -> list[str]:
        """Remove every container that has ended; their ids. What runs elsewhere stays, and is named.

        ``on_refused`` is told of each one whose files resist, and which so keeps its record; without it the first
        of them is raised when all the others are gone.
        """
        on_refused = _callback("on_refused", on_refused)
        found = self._listing().standings(EVERYTHING)
        ended = {one.id for one in found if not one.alive and not self._is_spared(one)}
        if not os.path.isdir(self.home.run_dir):  # nothing ever ran here, and pruning is no reason to make a home
            return []
        with tables.locked(self.home):
            there = [record.id for record in self._records() if record.id in ended]  # somebody else may prune too
            for container_id in there:
                self._end_execs(container_id)
            refused = containers.discard(self.home, there) if there else {}
            containers.discard_strays(self.home)
        removed = [container_id for container_id in there if container_id not in refused]
        for container_id in removed:
            self._log("RM", id=container_id)
        for error in starmap(_not_removed, refused.items()):
            if on_refused is None:
                raise error
            on_refused(error)
        return removed

    def _is_spared(self, container: Standing) -> bool:
        """Return whether it runs elsewhere, and say so: it can still be removed by its name."""
        if not container.elsewhere:
            return False
        error = _runs_elsewhere(container)
        self._unsaid.append(f"{error.message} It stays.\n{error.hint}")
        return True

    def _refuse_elsewhere(self, container: Container) -> None:
        if container.elsewhere:
            raise _runs_elsewhere(container)

    def _remove(self, container_id: str, *, force: bool = False) -> None:
        if not force:
            self._refuse_elsewhere(self._look_up(container_id))
        with tables.locked(self.home):
            record = containers.find(self.home, container_id)
            if not containers.has_ended(record) and containers.is_alive(self.home, record):
                raise Conflict(
                    f"Container '{container_id}' is running.",
                    f"Stop it first: mdock stop {container_id}   or: mdock rm -f {container_id}",
                )
            self._end_execs(container_id)
            refused = containers.discard(self.home, [container_id])
            containers.discard_strays(self.home)
        for why in refused.values():
            raise _not_removed(container_id, why)
        self._log("RM", id=container_id)

    def _end_execs(self, container_id: str) -> None:
        """End what exec started in this container, and tell what resists.

        It ends with its container even when its supervisors were killed.
        """
        left = execs.end_all(self.home, container_id)
        if left:
            self._unsaid.append(execs.may_run_on(container_id, left))

    def _running(self, container_id: str) -> Record:
        container = self._look_up(container_id)
        record = container.record
        self._refuse_elsewhere(container)
        if not container.alive:
            raise Conflict(
                f"Container '{container_id}' is not running ({container.state}).",
                f"Start another one: mdock run {record.image}",
            )
        return record

    @contextmanager
    def _pidfd(self, record: Record) -> Iterator[int | None]:
        """Give a pidfd of the container's first process, proven to be that very process; None if it is gone."""
        try:
            pidfd = os.pidfd_open(record.pid)
        except OSError:
            yield None
            return
        try:
            alive = not containers.has_ended(record) and containers.is_alive(self.home, record)
            yield pidfd if alive else None
        finally:
            os.close(pidfd)

    @contextmanager
    def _intent(self, record: Record, pidfd: int, status: Status) -> Iterator[bool]:
        """Write down what is about to be done; taken back if it is refused. False: it ended by itself meanwhile.

        Under the lock, and so is the end of a container recorded: log.txt has both in their order.
        """
        _ask_permission(record.pid, pidfd)
        before: Status | None = None
        with self._lock_where_writable():
            try:
                before = containers.set_intent(self.home, record.id, status)
            except Conflict:
                yield False
                return
            except OSError as error:
                if error.errno not in _STOPPABLE_DESPITE:
                    raise
                why = storage_error(error, self.home.path).message
                self._unsaid.append(f"{why} So the record of {record.id} does not say that it was stopped.")
            try:
                yield True
            except MdockError:
                if before is not None:
                    containers.take_back(self.home, record.id, status, before)
                raise

    def _kill_now(self, record: Record, pidfd: int) -> bool:
        """Send SIGKILL, unless a signal has ended it already and it only has to go; return whether it was sent."""
        with self._lock_where_writable():
            if _gone(pidfd, 0) or is_dying(record.pid):
                return False
            _signal(record.pid, pidfd, signals.SIGKILL)
            self._log("KILL", id=record.id, pid=record.pid)
            return True

    @contextmanager
    def _lock_where_writable(self) -> Iterator[None]:
        """Take the lock where that can be written: also on a full or read-only disk a container must be stoppable."""
        with ExitStack() as held:
            try:
                held.enter_context(tables.locked(self.home))
            except StorageError as error:
                if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _STOPPABLE_DESPITE:
                    raise
            yield

    def _settle(self, record: Record, pidfd: int, below: list[int], *, killed: bool) -> Record:
        """Wait for the process to go and for its supervisor's last word; do its work if it is dead."""
        if not _gone(pidfd, 10.0):
            raise MdockError(
                f"{record.id} has not ended yet: SIGKILL was sent, and process {record.pid} is still there.",
                f"The kernel may be busy for it (state D); see: ps -o pid,stat,wchan,cmd -p {record.pid}",
            )
        kept = load_spec(self.home, record.id)
        for supervisor in _stopped_supervisors(kept.identity):  # by the container, perhaps; only they know the true end
            with suppress(OSError):
                os.kill(supervisor, signals.SIGCONT)
        try:
            final = self._await_last_word(containers.find(self.home, record.id), kept, 10.0)
        except NotFound:
            return self._end_of_removed(record)
        if final.end_time is not None:
            return final
        for pid in below:
            with suppress(OSError):
                os.kill(pid, signals.SIGKILL)
        self._end_execs(record.id)
        code = 137 if killed else 143
        try:
            with tables.locked(self.home):
                after, old = containers.finish(self.home, record.id, code, containers.now(), killed=killed)
                if old >= 0:
                    os.close(old)
        except StorageError as error:
            raise StorageError(
                f"{record.id} has ended, but that is not recorded: {error.message}", error.hint
            ) from error
        return after or self._end_of_removed(final)

    def _log(self, event: str, **fields: object) -> None:
        """Write to the event log. Where it cannot be written, what happened has happened all the same."""
        try:
            write_event(self.home, event, **fields)
        except OSError as error:
            self._unsaid.append(f"log.txt lacks a line ({event}): {storage_error(error, self.home.path).message}")


def _in_a_notebook() -> bool:
    """Return whether this process is the kernel of a notebook.

    What it starts may not end it with kill(-1).
    """
    app = sys.modules.get("ipykernel.kernelapp")
    return app is not None and bool(app.IPKernelApp.initialized())


def _remove_quietly(folder: str) -> None:
    """Remove a folder after an error; the error is the one to tell."""
    with suppress(MdockError):
        remove_tree(folder)


# -- what callers gave: plain values as they are, the rest by way of arguments.py ---------------------------


def _arguments() -> ModuleType:
    """Import the file that checks arguments, for a value that is not plain already: start paths do without it."""
    from udock_lab.text import arguments

    return arguments


def _spec(image: object, said: dict[str, Any]) -> ContainerSpec:
    """Return the spec that the arguments of ``run`` mean."""
    if not isinstance(image, ContainerSpec):
        limits = {name: said.pop(name) for name in ("memory", "cpu", "files") if name in said}
        return ContainerSpec(image=image, limits=Limits(**limits), **said)  # type: ignore[arg-type]
    for name in said:
        where = f"limits=Limits({name}=...)" if name in fields(Limits()) else f"{name}=..."
        raise UsageError(
            f"{name} is given together with a spec, which says it all.",
            f"Write it into the spec: ContainerSpec(image={image.image!r}, {where})",
        )
    return image


def _switch(name: str, value: bool) -> bool:
    return value if type(value) is bool else bool(_arguments().switch(name, value))


def _path(name: str, value: str | os.PathLike[str]) -> str:
    return str(_arguments().path(name, value))


def _words(name: str, value: Iterable[Word]) -> tuple[str, ...]:
    return tuple(_arguments().words(name, value))


def _callback(name: str, value: Any) -> Any:
    return _arguments().callback(name, value) if value is not None and not callable(value) else value


def _listeners(on_output: Any, on_note: Any, on_start: Any) -> tuple[Any, Any, Any]:
    return _callback("on_output", on_output), _callback("on_note", on_note), _callback("on_start", on_start)


def _standard_input(value: Stdin) -> int | bytes | None:
    if value is None or (type(value) is int and 0 <= value <= 2):
        return value
    source: int | bytes | None = _arguments().standard_input(value)
    return source


def _image_name(value: str | Image) -> str:
    if isinstance(value, Image):
        return value.name
    return value if type(value) is str else str(_arguments().text("name", value, "the name of an image", "demo"))


def _id(value: str | Handle, name: str = "container_id") -> str:
    """Return a container's id, from an id or from what has one: a result, a record, a line of ``ps``."""
    if isinstance(value, Container | Record | RunResult):
        value = value.id
    return value if type(value) is str else str(_arguments().text(name, value, "a container id", "c1"))


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


def _signal(pid: int, pidfd: int, number: int) -> None:
    """Signal the process group; the process itself, through its pidfd, if it left its group."""
    with suppress(ProcessLookupError):
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                signals.pidfd_send_signal(pidfd, number)
        except PermissionError:
            raise _not_yours(pid) from None


def _ask_permission(pid: int, pidfd: int) -> None:
    """Signal 0 asks and does nothing (kill(2)): what may not be signalled leaves no word in the table or the log."""
    with suppress(ProcessLookupError):
        try:
            signals.pidfd_send_signal(pidfd, 0)
        except PermissionError:
            raise _not_yours(pid) from None


def _not_yours(pid: int) -> MdockError:
    return MdockError(
        f"Process {pid} belongs to another user, so you may not send it a signal.",
        "Do it as the user who started it, or with sudo.",
    )


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:  # real-time signals have numbers only
        return str(number)


def _gone(pidfd: int, timeout: float | None) -> bool:
    """Wait until the process has ended (a pidfd becomes readable then, pidfd_open(2))."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if timeout is None or timeout > _LONGEST_PAUSE:
        return bool(poll.poll())
    return bool(poll.poll(timeout * 1000))


def _supervisor_lives(identity: Identity) -> bool:
    """Return whether the very supervisor of this container is still there.

    Neither a zombie nor a reused pid will write the end.
    """
    pid, ticks, boot = identity.supervisor, identity.supervisor_ticks, identity.boot_id
    return pid is not None and ticks is not None and boot is not None and is_same_process(pid, ticks, boot)


def _stopped_supervisors(identity: Identity) -> list[int]:
    """Return those that should write this container's end, and cannot because a signal stopped them."""
    pid = identity.supervisor
    return stopped(supervisors_of(pid)) if pid is not None and _supervisor_lives(identity) else []


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


def _not_removed(container_id: str, why: MdockError) -> MdockError:
    """Return the error of a removal that failed.

    The record is kept, so that it can be removed when the reason is gone.
    """
    return type(why)(f"Container '{container_id}' is not removed: {why.message}", why.hint)


def _runs_elsewhere(container: Container | Standing) -> Conflict:
    """Return the error for a container whose processes cannot be seen or signalled from here."""
    why, remove = container.elsewhere, f"To remove it all the same: mdock rm -f {container.id}"
    if why.startswith("host "):
        where, do = f"on {why}", f"Do it there: ssh {why.removeprefix('host ')}"
    elif why == "another pid namespace":
        where, do = f"in {why}", "Do it where it was started: in that dev container, or that kernel's terminal."
    elif why.startswith("no /proc"):
        where = "where it cannot be seen: there is " + why
        do = "Give mdock one, without changing it for others: unshare --mount-proc mdock ps"
    elif why == "/proc hides it":
        where, do = "hidden: /proc shows you no process of others (hidepid)", "Do it as its owner, or with sudo."
    else:
        where, do = f"in {why}", "Do it where it was started."
    return Conflict(f"Container '{container.id}' runs {where}.", f"{do}\n{remove}")


def _never_started(started: Started) -> bool:
    return not started.reports or started.reports[-1][1] != NO_ANSWER


def _started_lately(record: Record) -> bool:
    """Return whether it started within the last two seconds, by the wall clock, which is all that a record has.

    In which zone it was written is not said, so any quarter of an hour may be this one (zones differ by quarters).
    """
    now = time.time()
    earliest, latest = (time.strftime(_FORMAT, time.localtime(now + days * _DAY)) for days in (-2, 2))
    if not earliest < record.start_time < latest:  # ISO 8601 sorts as time does, and strptime takes long
        return False
    with suppress(ValueError, OverflowError):
        ago = now - time.mktime(time.strptime(record.start_time, _FORMAT))
        return abs(ago) < 2 * _DAY and min(ago % _ZONE, -ago % _ZONE) < 2
    return False


def _uptime(identity: Identity, record: Record) -> float:
    """Return seconds since the start, from the boot clock where we noted it: a clock step does not change it."""
    started = identity.started_boottime
    boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
    if started is not None and 0 <= started <= boottime:
        return boottime - started
    began = containers.began(record.pid)
    return max(0.0, time.time() - began) if began else 0.0
