"""Who the learner's code runs as: the best that this machine permits, tried before the runner asks.

And what is said of what it refuses.
"""

from __future__ import annotations

import os

from udock_lab.isolation.ask import IDENTITY
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.wanted import Wanted
from udock_lab.linux import capabilities as cap
from udock_lab.linux import idmaps
from udock_lab.linux.process import parent, pids
from udock_lab.model.value import Value
from udock_lab.sandbox.policy import OPTIONAL_NAMESPACES, SandboxPolicy, wanted_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from udock_lab.sandbox.messages import Request

__all__ = ["Identity", "choose_identity", "missing_layers", "protected_pids", "refused_layers"]

# Who becomes somebody else must be able to clean up after them.
_TO_BECOME_ANOTHER = frozenset(
    {cap.CAP_CHOWN, cap.CAP_DAC_OVERRIDE, cap.CAP_FOWNER, cap.CAP_KILL, cap.CAP_SETGID, cap.CAP_SETUID}
)
# A uid for each sandbox, so that they do not reach each other. Ids above 1879048191 are given to nobody (systemd's
# UIDS-GIDS document); a container's root may have fewer ids, usually 65536.
_UIDS, _FEW_IDS = 2_000_000_000, 60_000


class Identity(Value):
    """In which namespaces, and as which user, the code runs."""

    shut: bool = False  # namespaces of its own
    userns: bool = False  # a user namespace at least
    uid: int = 0  # without namespaces: an unprivileged uid, where we are root; 0: as whom it was started
    refusal: str = ""  # why there are no namespaces where they were wanted

    @property
    def words(self) -> str:
        """As the result says it."""
        return "user namespace" if self.userns else f"user {self.uid}" if self.uid else "plain"


def choose_identity(request: Request) -> Identity:
    """Choose namespaces where they are wanted and work, else an unprivileged uid, else a user namespace if that works.

    For single-threaded callers: it tries in children.
    """
    if not request.shut:
        return Identity(userns=_user_namespaces_work())
    why_not = _isolation_refused(request.package)
    if not why_not:
        return Identity(shut=True, userns=True)
    uid = _unprivileged_uid()
    return Identity(uid=uid, userns=not uid and _user_namespaces_work(), refusal=why_not)


def _isolation_refused(package: str) -> str:
    """Say why full isolation is not possible here; empty where it is. For single-threaded callers."""
    return refusal(wanted_by(SandboxPolicy(isolated=True, graded=True, package=package)))


def _user_namespaces_work() -> bool:
    """Return whether a process can stay who it is in a user namespace of its own. For single-threaded callers."""
    return not refusal(Wanted(mapped=IDENTITY))


def _unprivileged_uid() -> int:
    """Return a uid, and gid, that nobody has, for root to become; 0 where root may not become it.

    It is this process's own: no two sandboxes share one.
    """
    if os.geteuid() != 0 or not cap.permitted_capabilities() >= _TO_BECOME_ANOTHER:
        return 0
    for candidate in (_UIDS + os.getpid(), _FEW_IDS + os.getpid() % 5_000):
        if idmaps.is_mapped(idmaps.UID_MAP, candidate) and idmaps.is_mapped(idmaps.GID_MAP, candidate):
            return candidate
    return 0


def protected_pids() -> list[int]:
    """List, for a filter that knows pids only, the caller and what is above it first, then all that exists now."""
    above: list[int] = []
    pid = os.getpid()
    while pid and len(above) < 64:
        above.append(pid)
        pid = parent(pid) or 0
    return list(dict.fromkeys([*above, *sorted(pids(), reverse=True)]))


def refused_layers(refused: Sequence[str]) -> list[str]:
    """Name the layers among the steps that were refused."""
    return [f"own {OPTIONAL_NAMESPACES[name]}" for name in refused if name in OPTIONAL_NAMESPACES]


def missing_layers(why: str, uid: int, kept_to: bool, closed: str) -> list[str]:
    """Say what was wanted, is not there, and what code can therefore do; ``why`` is the refusal of the whole.

    ``kept_to``: files are out of reach. ``closed``: a folder of this Python that only root may enter, if there is one.
    """
    words = [f"own {'' if uid else 'user, '}processes, mounts and network ({why})"]
    if uid and not kept_to:
        words.append("files kept out of sight (no Landlock): it could read what everybody here may read")
        words[-1] += f", and what is next to {closed}" if closed else ""
        words[-1] += ", and write where everybody may write"
    elif not kept_to:
        words.append("files kept out of reach (no Landlock): it could read and change all that you can")
    elif not uid:
        words.append("owners, modes and times of your files (Landlock protects what is in them)")
    return words
