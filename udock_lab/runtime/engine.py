"""Runtime: everything mdock does. Each method is a short story, and the files beside this one do what it says.

>>> runtime = Runtime()
>>> runtime.run("demo", ["/bin/sh", "-c", "exit 42"]).exit_code   # doctest: +SKIP
42
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress

from udock_lab.errors import MdockError, NotFound, UsageError
from udock_lab.model import Container, ContainerSpec, Image, Record, RunResult
from udock_lab.runtime.client.connection import ForkedSupervisor, the_launcher
from udock_lab.runtime.client.planning import exec_request, run_request
from udock_lab.runtime.given import arguments, callback, container_id_of, image_name, path, said, switch, words
from udock_lab.runtime.looking import container_of, has_ended, listing, look_up, records, running
from udock_lab.runtime.machine import Machine
from udock_lab.runtime.runio import RunIO, RunOptions, asked_for, given_once
from udock_lab.runtime.running import Runs, first_process, no_advice, root_source, spec_inside
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.extras import with_extras
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import KnownImages, find_image_by_name, list_images
from udock_lab.runtime.state.listing import EVERYTHING, Choice
from udock_lab.runtime.state.logs import read_log
from udock_lab.runtime.unsaid import Unsaid

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signals
    from typing import Any, overload

    from udock_lab.model import DoctorReport, Inspection, ProcessNode
    from udock_lab.runtime.client.planning import Planned
    from udock_lab.runtime.ending import Ending
    from udock_lab.runtime.given import Handle, Variables, Word
    from udock_lab.runtime.image.rootfs import RootfsReport
    from udock_lab.runtime.runio import OnNote, OnOutput, OnStart, Stdin
    from udock_lab.runtime.started import StartedRun
    from udock_lab.runtime.state.rootsource import RootSource
else:
    import _signal as signals

__all__ = ["Runtime"]


class Runtime:
    """A home and the means to run containers in it.

    ``home``: ``$MDOCK_HOME`` or ``~/.mdock``. ``spare=False`` forks within each run instead of taking a
    pre-forked child (the spare), so that the fork stands inside its timeline. ``forked=True`` is for small
    single-threaded programs (the command line).
    """

    def __init__(self, home: str | os.PathLike[str] | None = None, *, spare: bool = True, forked: bool = False) -> None:
        self.home = Home(home)
        self.spare = switch("spare", spare)
        self._connection = ForkedSupervisor() if switch("forked", forked) else the_launcher()
        self._unsaid = Unsaid(self.home)
        self._machine = Machine(self.home, self._connection, self._unsaid)
        self._runs = Runs(self.home, self._connection, raises_interrupts=not forked)
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
            kernel = arguments().whole_number("kernel", kernel, "a process id", "os.getpid()", most=2**31 - 1)
        running = {container.record.pid: container.id for container in self.ps(running=True)}
        return named_trees(kernel or os.getpid(), self.launcher_pid, running)

    def close(self) -> None:
        """Let the launcher go. Detached containers run on, supervised to their end."""
        self._runs.close()
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
        from udock_lab.runtime.building import build

        name, directory, force = image_name(name), path("directory", directory), switch("force", force)
        progress, on_note = callback("progress", progress), callback("on_note", on_note)
        return build(self.home, self._unsaid, name, directory, force=force, progress=progress, on_note=on_note)

    def demo(self, progress: Callable[[int, int], None] | None = None, *, on_note: OnNote | None = None) -> Image:
        """Return the image ``demo``, made when it is missing. Safe to call again.

        ``on_note`` is told what the root file system lacks on this machine, and what could not be copied faithfully.
        """
        progress, on_note = callback("progress", progress), callback("on_note", on_note)
        with suppress(NotFound):
            return find_image_by_name(self.home.images_db, "demo")
        from udock_lab.runtime.building import demo

        return demo(self.home, self._unsaid, progress=progress, on_note=on_note)

    def images(self) -> list[Image]:
        """Return all images, in the order of their building."""
        found, corrupt = list_images(self.home.images_db)
        self._unsaid.no_records(self.home.images_db, corrupt)
        return found

    def rmi(self, name: str | Image) -> None:
        """Remove an image. Conflict, with the list, while any container record uses it."""
        from udock_lab.runtime.building import remove_image

        remove_image(self.home, self._unsaid, image_name(name))

    def rootfs(self, directory: str | os.PathLike[str], programs: Iterable[Word] = ()) -> RootfsReport:
        """Make a root file system in ``directory``: busybox, or the host's own programs."""
        from udock_lab.runtime.image.rootfs import make_rootfs

        return make_rootfs(path("directory", directory), words("programs", programs))

    # --- run and exec

    if TYPE_CHECKING:

        @overload
        def run(self, spec: ContainerSpec, io: RunIO, options: RunOptions | None = None, /) -> RunResult: ...

        @overload
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
            on_start: OnStart | None = None,
            one_pipe: bool | None = None,
            spare: bool | None = None,
            snapshots: bool | None = None,
            io: RunIO | None = None,
            options: RunOptions | None = None,
        ) -> RunResult: ...

    def run(
        self,
        image: str | Image | ContainerSpec,
        argv: Iterable[Word] | RunIO | None = None,
        options: RunOptions | None = None,
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
        on_start: OnStart | None = None,
        one_pipe: bool | None = None,
        spare: bool | None = None,
        snapshots: bool | None = None,
        io: RunIO | None = None,
    ) -> RunResult:
        """Run a program in a new container and wait for its end (unless ``detach``).

        ``run(spec, io, options)`` takes three values: :class:`ContainerSpec`, what is asked for, :class:`RunIO`, what
        flows in and out, :class:`RunOptions`, how it is made. ``run("demo", ["/bin/sh"], env=..., stdin=...)`` makes
        these of its arguments. What one of the three says is not said twice (UsageError).

        ``argv`` defaults to a shell, the switches to False. Words may be text, bytes, paths or numbers. ``memory`` in
        bytes (or "64M"), ``cpu`` in seconds, ``files`` a count: all per process (setrlimit(2)). ``userns``: with or
        without a user namespace of its own; None: as the home's default has it (:meth:`configure`). ``guard``: refuse
        kill(-1), which would end the notebook; None: in a notebook's kernel, nowhere else. ``layers``: of isolation,
        each by its name with its value. ``stdin``: an open file or descriptor to inherit, or text or bytes to read;
        None is /dev/null. A terminal is not inherited: the lines typed there go through a pipe, or, with ``tty`` and
        ``interactive``, its keys. ``on_output`` gets ("stdout" | "stderr", bytes) as they come, ``on_note`` mdock's own
        words, ``on_start`` the id at the start. ``one_pipe``: both outputs as one, in the order of writing (``2>&1``);
        all of it comes as stdout. ``snapshots``: look at the process in /proc before its first step and just before
        exec (``result.snapshots``).

        A program that fails is a result; so is one that never started (``result.failure``). An interrupt
        stops the container first and is raised then (Interrupted, a KeyboardInterrupt).
        """
        given = said(env=env, workdir=workdir, memory=memory, cpu=cpu, files=files, userns=userns, copy=copy)
        given |= said(detach=detach, remove=remove, tty=tty, interactive=interactive, guard=guard, layers=layers)
        given |= said(stdin=stdin, on_output=on_output, on_note=on_note, on_start=on_start, one_pipe=one_pipe)
        given |= said(spare=spare, snapshots=snapshots)
        spec, flow, options = asked_for(image, argv, io, options, given)
        spec, image_root, advise = self._prepare(spec)
        with root_source(self.home, image_root, copy=spec.copy) as root:
            return self._runs.follow(self._request(spec, flow, options, root), flow, advise)

    def start(
        self,
        image: str | Image | ContainerSpec,
        argv: Iterable[Word] | RunIO | None = None,
        options: RunOptions | None = None,
        *,
        io: RunIO | None = None,
        **given: Any,
    ) -> StartedRun:
        r"""Run a program in a new container, and return at once: the event loop of this thread follows it.

        For a notebook, whose cells run in such a loop, and for programs with asyncio. The arguments are those of
        :meth:`run`, by position and by name. ``await started`` gives the same result; meanwhile ``started.type``,
        ``signal`` and ``resize`` reach the program (``interactive=True`` gives it an input to type into), and
        ``on_output`` is called in turns of the loop: while a cell computes, output waits. The container ends with its
        caller, as one in the foreground does. UsageError where no loop runs, with ``detach``, and for a terminal as
        ``stdin``.

        >>> started = Runtime().start("demo", ["/bin/sh"], interactive=True)   # doctest: +SKIP
        >>> started.type("exit 42\n")   # doctest: +SKIP
        >>> (await started).exit_code   # doctest: +SKIP
        42
        """
        spec, flow, options = asked_for(image, argv, io, options, said(**given))
        spec, image_root, advise = self._prepare(spec)
        with ExitStack() as held:
            root = held.enter_context(root_source(self.home, image_root, copy=spec.copy))
            return self._runs.start(self._request(spec, flow, options, root), flow, advise, held)

    def _prepare(self, spec: ContainerSpec) -> tuple[ContainerSpec, str, Callable[[], str]]:
        """Return the spec with the home's defaults, its image's root, and who advises where chroot is refused."""
        advise = self._machine.advise_userns if spec.userns is None else no_advice
        spec = self._machine.with_defaults(spec)
        found = self._images.find(spec.image)
        self._unsaid.no_records(self.home.images_db, self._images.corrupt)
        return spec, found.rootfs, advise

    def _request(self, spec: ContainerSpec, io: RunIO, options: RunOptions, root: tuple[RootSource, str]) -> Planned:
        """Return what a supervisor is asked for; ``root`` has the claim on it beside it."""
        return run_request(
            self.home,
            spec,
            root[0],
            claim=root[1],
            snapshots=options.snapshots,
            one_pipe=io.one_pipe or spec.detach,  # nobody is there to tell two outputs apart: its log keeps order
            fresh=not (self.spare if options.spare is None else options.spare),
            announce=io.on_start is not None,
        )

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
        one_pipe: bool | None = None,
        io: RunIO | None = None,
    ) -> RunResult:
        """Run one more program in a running container: its root, its user namespace, a supervisor of its own.

        It starts with the container's own variables, working directory and limits (which count per process);
        ``env`` and ``workdir`` come on top; the rest is as in :meth:`run`, where ``io`` stands for the last four.
        """
        flows = said(stdin=stdin, on_output=on_output, on_note=on_note, one_pipe=one_pipe)
        flow = given_once(RunIO, "io", io, flows)
        asked: dict[str, Any] = {"argv": argv, "env": () if env is None else env, "workdir": workdir}
        container_id = container_id_of(container_id)
        if isinstance(argv, list | tuple) and not argv:
            raise UsageError("exec needs a program.", f"For instance: mdock exec {container_id} /bin/sh")
        wanted = ContainerSpec(image="", tty=tty, interactive=interactive, guard=guard, **asked)
        record = running(self.home, container_id)
        spec, root = spec_inside(self.home, record, wanted)
        planned = exec_request(self.home, spec, root, record, one_pipe=flow.one_pipe, fresh=not self.spare)
        with first_process(self.home, record) as container:
            return self._runs.follow(planned, flow, no_advice, container)

    # --- looking

    def ps(self, *, running: bool = False, choice: Choice = EVERYTHING, isolation: bool = True) -> list[Container]:
        """Return every container, running and ended alike, in the order of their records.

        ``choice``: only those that it takes; ``running``: only those whose process is alive. ``isolation=False``
        leaves that field empty, for which one more file of each container is read.
        """
        choice = choice.alive() if switch("running", running) else choice
        found = listing(self.home, self._unsaid).standings(choice)
        there = with_extras(self.home)
        return [
            container_of(self.home, one, isolation=isolation, has_files=there is None or one.id in there)
            for one in found
        ]

    def ids(self, choice: Choice = EVERYTHING) -> list[str]:
        """Return the ids of every container, or of those that the choice takes, and read no more than that needs."""
        return listing(self.home, self._unsaid).ids(choice)

    def records(self) -> list[Record]:
        """Return every record as the table has it; no process is looked for."""
        return records(self.home, self._unsaid)

    def inspect(self, name: str | Handle | Image) -> Inspection:
        """Return everything known of a container id, or of an image.

        Names with a capital are docker's for the same.
        """
        from udock_lab.runtime.inspecting import inspect

        name = image_name(name) if isinstance(name, Image) else container_id_of(name, "name")
        return inspect(self.home, self._unsaid, name)

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
        name = container_id_of(container_id)
        if tail is not None and (type(tail) is not int or tail < 0):
            tail = arguments().whole_number("tail", tail, "a number of lines", "tail=20", smallest=0)
        ended = (lambda: has_ended(self.home, name)) if switch("follow", follow) else None
        containers.find(self.home, name)
        return read_log(self.home.container_log(name), tail=tail, ended=ended, idle=on_idle)

    def doctor(self) -> DoctorReport:
        """Return what this machine permits, each feature tried for real in a child, and what this home is set to."""
        return self._machine.report()

    def settings(self) -> dict[str, bool]:
        """Return this home's defaults: each setting there is, as it was set or, unset, off."""
        return self._machine.settings()

    def configure(self, name: str, value: bool) -> None:
        """Set a default of this home. Unsupported where this machine refuses what is to be switched on."""
        name = arguments().text("name", name, "the name of a setting", "userns")
        self._machine.configure(name, switch("value", value))

    def complaints(self) -> list[str]:
        """Return a sentence for each line that did not parse in the tables read so far; each is said once."""
        return self._unsaid.take()

    # --- ending

    def stop(self, container_id: str | Handle, timeout: float | None = 5.0) -> Record:
        """Send SIGTERM, then SIGKILL after ``timeout`` seconds (None: never); return as soon as the container is gone.

        A container that has ended already is left as it is; Conflict for one that runs elsewhere.
        """
        return self._ending().stop(container_id_of(container_id), arguments().seconds("timeout", timeout))

    def kill(self, container_id: str | Handle, signal: int | str = signals.SIGKILL) -> Record:
        """Send a signal (by number or name) to the container's process group. SIGKILL waits for the end."""
        container_id, number = container_id_of(container_id), int(arguments().signal_number("signal", signal))
        return self._ending().kill(container_id, number)

    def wait(self, container_id: str | Handle) -> Record:
        """Wait for the end; the final record. An orphaned container has none: MdockError."""
        return self._ending().wait(container_id_of(container_id))

    def rm(self, container_id: str | Handle, *, force: bool = False) -> None:
        """Remove an ended container: record, log, private files. Conflict while it runs.

        ``force`` kills it first; one that runs elsewhere cannot be killed from here, and is removed all the same.
        """
        from udock_lab.runtime.removing import remove

        container_id, force = container_id_of(container_id), switch("force", force)
        container = look_up(self.home, container_id)
        if not (force and container.alive):
            remove(self.home, self._unsaid, container, force=force)
            return
        self.kill(container_id)
        with suppress(NotFound):  # run --rm removes it too
            remove(self.home, self._unsaid, look_up(self.home, container_id))

    def prune(self, on_refused: Callable[[MdockError], None] | None = None) -> list[str]:
        """Remove every container that has ended; their ids. What runs elsewhere stays, and is named.

        ``on_refused`` is told of each one whose files resist, and which so keeps its record; without it the first
        of them is raised when all the others are gone.
        """
        from udock_lab.runtime.removing import prune

        return prune(self.home, self._unsaid, callback("on_refused", on_refused))

    def _ending(self) -> Ending:
        from udock_lab.runtime.ending import Ending

        return Ending(self.home, self._unsaid)
