"""The first witness: what the processes say of themselves. What one may say depends on who it is."""

from __future__ import annotations

import os
from contextlib import suppress

from udock_lab.isolation.ask import answer
from udock_lab.linux.process import children, parent
from udock_lab.sandbox.keeper import sweep
from udock_lab.sandbox.keeper.identity import missing_layers, protected_pids, refused_layers
from udock_lab.sandbox.messages import (
    Answered,
    Aside,
    Asked,
    Audited,
    Broken,
    End,
    Ended,
    Execs,
    Files,
    FirstEnded,
    Forked,
    Guard,
    Hello,
    Inside,
    Isolated,
    Kills,
    Orders,
    Ready,
    Unreadable,
    encode,
    from_first_inside,
    from_process,
    from_runner,
)
from udock_lab.sandbox.policy import SandboxPolicy
from udock_lab.wire.framing import send
from udock_lab.wire.hearing import hear
from udock_lab.wire.messages import MalformedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.keeper.sandbox import Sandbox

__all__ = ["Words"]

AT_ONCE = 256  # words, before others are served
AUDITS = 5_000  # audit events that the result gets
WORDS, PATH, VALUE = 600, 4096, 1 << 20  # characters: of what a process says of itself, whoever wrote that


class Words:
    """Hears the sandbox's side of the reports socket. Junk counts as nothing."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.guard = ""
        self.missing: tuple[str, ...] = ()  # isolation that was wanted and was refused
        self.broken = ""  # why the runner could not prepare
        self.unreadable = ""  # why Python could not read the code
        self.files: dict[str, bytes] | None = None  # of the scratch folder, as the first process inside tells
        self.signals_to_all = 0
        self.audits: list[str] = []

    def listen(self, _events: int = 0) -> None:
        """Hear what has been said by now, but let others be served in between."""
        reports = self.sandbox.runner.reports
        for _ in range(AT_ONCE if reports.fileno() >= 0 else 0):
            try:
                data, pid = hear(reports)
            except BlockingIOError:
                return
            if not pid:
                self.sandbox.close(reports)
                return
            with suppress(MalformedError, OSError):  # junk; or who spoke is gone
                self._hear(data, pid)

    def _hear(self, data: bytes, pid: int) -> None:
        sandbox = self.sandbox
        if sandbox.started:
            sandbox.table.spoke(pid)
        if pid in sandbox.helpers:
            self._hear_first_inside(from_first_inside(data))
        elif not sandbox.started and not self.broken:
            self._hear_runner(from_runner(data), pid)
        elif sandbox.started:
            self._hear_process(from_process(data), pid)

    # --- our own code

    def _hear_runner(
        self, message: Hello | Asked | Inside | Isolated | Aside | Guard | Broken | Unreadable | Ready, pid: int
    ) -> None:
        """Hear the runner while it prepares."""
        sandbox = self.sandbox
        match message:
            case Hello():
                sandbox.table.begin(pid)
                send(sandbox.runner.reports, encode(self._orders(pid)), [sandbox.names, *sandbox.lines.memory()])
            case Asked(ask=ask):
                send(sandbox.runner.reports, encode(Answered(errno=answer(ask, pid))))
            case Inside():
                sandbox.helpers = {sandbox.table.first, pid}
            case Isolated(refused=refused):
                self.missing = tuple(refused_layers(refused))
                sandbox.table.begin(pid)
            case Aside(kept_to=kept_to, closed=closed):
                identity = sandbox.identity
                self.missing = tuple(missing_layers(identity.refusal, identity.uid, kept_to, closed))
            case Guard(by=by):
                self.guard = by
            case Broken(why=why):
                self.broken = why
            case Unreadable(why=why):
                self.broken = self.unreadable = why
            case Ready():
                sandbox.begin()

    def _orders(self, runner: int) -> Orders:
        request, identity = self.sandbox.request, self.sandbox.identity
        # Without a user namespace the kernel counts every process of this user on the machine.
        others = sweep.threads_of(os.geteuid()) if os.geteuid() and not identity.userns else 0
        policy = SandboxPolicy(
            isolated=identity.shut,
            userns=identity.userns,
            uid=identity.uid,
            package=request.package,
            path=request.path,
            cwd=request.cwd or request.scratch,
            limits=request.limits.by_name(others=others),
            graded=request.shut,
            protected=tuple([pid for pid in protected_pids() if pid != runner]),
        )
        return Orders(source=request.source, sources=request.sources, files=request.files, policy=policy)

    def _hear_first_inside(self, message: FirstEnded | Files) -> None:
        """Hear how the learner's process ended, and what its folder holds."""
        table = self.sandbox.table
        match message:
            case Files(files=files):
                self.files = files
            case FirstEnded(status=status):
                if table.status_of(table.first) is None:
                    self.sandbox.has_ended(table.first, status)

    # --- the learner's code

    def _hear_process(self, message: Forked | Execs | Kills | Audited | Ended, pid: int) -> None:
        """Hear a process: each is believed what it says about itself."""
        table = self.sandbox.table
        match message:
            case Forked(by=by, number=number):
                self._hear_fork(pid, by, number)
            case Execs(program=program):
                table.try_program(pid, program[:PATH])
            case Kills():
                self.signals_to_all += 1
            case Audited(event=event):
                if len(self.audits) < AUDITS:
                    self.audits.append(event[:WORDS])
            case Ended(how=how, words=words, value=value):
                table.meet(pid)
                value = value[:VALUE] if pid == table.first else ""
                table.came_to_the_end(pid, End(how=how[:WORDS], words=words[:WORDS], value=value))

    def _hear_fork(self, pid: int, by: int, number: int) -> None:
        """Hear of a fork.

        In a pid namespace processes know themselves by other pids: there /proc says who forked it, if it still can.
        """
        table, shut = self.sandbox.table, self.sandbox.identity.shut
        above = (parent(pid) or 0) if shut else by
        if table.is_known(above):
            table.announce(pid, above, children(above), number)
        elif shut and self.sandbox.untraced:
            table.meet(pid, table.first)
        elif shut:  # gone already: strace says by whom it was forked
            table.meet(pid)
