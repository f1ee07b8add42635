"""What the child is told through its start gate: what to do, and which program to become."""

from __future__ import annotations

from udock_lab.wire.framing import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_ENV", "DEFAULT_PATH", "Plan", "environment"]

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_ENV = {"PATH": DEFAULT_PATH, "HOME": "/root", "TERM": "xterm"}


def environment(asked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return PATH, HOME, TERM and what was asked for; nothing is inherited."""
    return DEFAULT_ENV | dict(asked)


class Plan:
    """What the child will do: its steps in words, then the program with its arguments and environment.

    The program is looked for in ``rootfs``, at each of the ``candidates``. ``one_pipe``: stderr goes where stdout goes.
    ``before_gate``: so many steps are made before the start gate opens, the last of which is a fork.
    """

    __slots__ = ("argv", "before_gate", "candidates", "env", "one_pipe", "rootfs", "steps")

    def __init__(
        self,
        steps: tuple[tuple[str | int, ...], ...],
        argv: tuple[str, ...],
        env: dict[str, str],
        rootfs: str,
        candidates: tuple[str, ...],
        one_pipe: bool = False,
        before_gate: int = 0,
    ) -> None:
        self.steps, self.argv, self.env = steps, argv, env
        self.rootfs, self.candidates, self.one_pipe = rootfs, candidates, one_pipe
        self.before_gate = before_gate

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each step."""
        return tuple([str(words[0]) for words in self.steps])

    def pack(self) -> bytes:
        """Return what travels through the start gate."""
        return pack((self.steps, self.argv, self.env, self.rootfs, self.candidates, self.one_pipe, self.before_gate))

    @classmethod
    def unpack(cls, data: bytes) -> Plan:
        """Return the plan of :meth:`pack`."""
        return cls(*unpack(data))
