"""What a step cannot do itself, and its parent can: the child's half asks, the parent's half answers.

A step calls ``child.ask(WriteIdMap(...))``; the value travels to the parent, which calls :func:`answer` with the pid
that the kernel says it came from, and sends back an errno.
"""

from __future__ import annotations

import errno
import os

from udock_lab.linux import idmaps
from udock_lab.linux.process import proc_is_ours
from udock_lab.model.value import Value

__all__ = ["ASKS", "IDENTITY", "ROOT_IS_NOBODY", "AnyAsk", "Ask", "WriteIdMap", "answer"]

IDENTITY = "identity"  # each id that we have is itself in there: a refusal stays a refusal
ROOT_IS_NOBODY = "root is nobody"  # root in there is nobody outside; for an ordinary user, who has no other id, theirs
NOBODYS_IDS = 2_000_000  # the first of 65536 ids that nobody has


class Ask(Value):
    """The base of all that may be asked."""

    @property
    def about(self) -> str:
        """The path that a refusal is about."""
        raise NotImplementedError

    def do(self, pid: int) -> None:
        """Do it for the child ``pid``. OSError when it is refused."""
        raise NotImplementedError


class WriteIdMap(Ask):
    """Write setgroups, uid_map or gid_map of a child that has left our user namespace (user_namespaces(7)).

    The child names a rule, not the ids: it gets no id that the rule does not give.
    """

    file: str
    rule: str

    def __post_init__(self) -> None:
        """Refuse what is none of the files and none of the rules: this comes from somebody else (ValueError)."""
        if self.file not in idmaps.FILES or self.rule not in (IDENTITY, ROOT_IS_NOBODY):
            raise ValueError(f"no id map is written to {self.file!r} by the rule {self.rule!r}")

    @property
    def about(self) -> str:
        """As the child knows it."""
        return idmaps.path_of(self.file)

    def do(self, pid: int) -> None:
        """Write it, where /proc shows our own pid namespace: in another's the number is another process."""
        if not proc_is_ours():
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH), self.about)
        idmaps.write(self.file, self._text(), pid)

    def _text(self) -> str:
        if self.file == idmaps.SETGROUPS:
            return "deny"
        if os.geteuid() == 0:
            return f"0 {NOBODYS_IDS} 65536" if self.rule == ROOT_IS_NOBODY else idmaps.identity(self.file)
        ours = os.geteuid() if self.file == idmaps.UID_MAP else os.getegid()
        return f"{0 if self.rule == ROOT_IS_NOBODY else ours} {ours} 1"


AnyAsk = WriteIdMap  # with "|", as they come: what a message that carries one may hold
ASKS: tuple[type[WriteIdMap], ...] = (WriteIdMap,)  # the same, for a codec


def answer(ask: Ask, pid: int) -> int:
    """Do what the child ``pid`` asks; 0, or the errno of the refusal."""
    try:
        ask.do(pid)
    except OSError as error:
        return error.errno or errno.EIO
    return 0
