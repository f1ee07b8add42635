"""What this machine permits, tried for real in a child, and what this home is set to by default."""

from __future__ import annotations

import os

from udock_lab.errors import MdockError, Unsupported
from udock_lab.model import ContainerSpec
from udock_lab.model.value import replace
from udock_lab.runtime.client.connection import Connection
from udock_lab.runtime.protocol import ProbeRequest
from udock_lab.runtime.running import in_a_notebook
from udock_lab.runtime.state import settings
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.unsaid import Unsaid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.model import DoctorReport

__all__ = ["Machine"]


class Machine:
    """This machine, as it is asked through a supervisor, beside what ``home`` is set to."""

    def __init__(self, home: Home, connection: Connection, unsaid: Unsaid) -> None:
        self._home = home
        self._connection = connection
        self._unsaid = unsaid

    def report(self) -> DoctorReport:
        """Return what this machine permits, and what this home is set to; MdockError where nobody can try it."""
        from udock_lab.runtime.doctor import report_from_json

        data = self._probe("everything")
        if not data:
            raise MdockError(
                "The probe of this machine was killed, or no process and no file was left to it.",
                "Try again: mdock doctor   (limits of this shell: ulimit -a)",
            )
        return replace(report_from_json(data), settings=tuple(self.settings().items()))

    def settings(self) -> dict[str, bool]:
        """Return this home's defaults: each setting there is, as it was set or, unset, off."""
        found, corrupt = settings.load(self._home)
        self._unsaid.no_records(self._home.config, corrupt)
        return {name: found.get(name, False) for name in settings.SETTINGS}

    def configure(self, name: str, value: bool) -> None:
        """Set a default of this home. Unsupported where this machine refuses what is to be switched on."""
        settings.check_name(name)
        if value and name == "userns" and not self._userns_would_work():
            raise Unsupported(
                "This machine refuses user namespaces, so with userns on every run would fail.",
                "See why, and what would help: mdock doctor",
            )
        settings.save(self._home, name, value)

    def with_defaults(self, spec: ContainerSpec) -> ContainerSpec:
        """Return the spec with the home's defaults for what was not asked for in this run."""
        if spec.userns is not None and spec.guard is not None:
            return spec
        userns = self.settings()["userns"] if spec.userns is None else spec.userns
        return replace(spec, userns=userns, guard=in_a_notebook() if spec.guard is None else spec.guard)

    def advise_userns(self) -> str:
        """Return one line where chroot was refused and a user namespace would give it."""
        if self.settings()["userns"]:
            return ""
        from udock_lab.runtime.usernstrial import ADVICE

        return ADVICE if self._userns_would_work() else ""

    def _userns_would_work(self) -> bool:
        from udock_lab.runtime.usernstrial import userns_works

        return userns_works(self._home, lambda: self._probe("userns"))

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
