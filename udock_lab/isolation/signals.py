"""Nobody outside is signalled: by Landlock where it can, else by a filter that knows pids (landlock(7), seccomp(2))."""

from __future__ import annotations

from udock_lab.isolation.step import ANY_ERRNO, Child, Step
from udock_lab.linux import landlock, seccomp_filters
from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.seccomp import set_filter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FilterSignals", "ScopeSignals", "keep_signals_inside"]


def keep_signals_inside(protected: Iterable[int]) -> list[Step]:
    """Try the better guard first; the other, which needs to know whom to protect, works only where that one did not."""
    return [ScopeSignals(), FilterSignals(tuple(protected))]


class ScopeSignals(Step):
    """Signals stay among this process and those that it forks; set no_new_privs on the way."""

    name = "scope_signals"
    call = "landlock_restrict_self"
    optional_errnos = ANY_ERRNO

    def describe(self) -> str:
        return "landlock_restrict_self(LANDLOCK_SCOPE_SIGNAL)"

    def apply(self, child: Child) -> None:
        if not child.signals:
            landlock.scope_signals()
            child.signals = "landlock"


class FilterSignals(Step):
    """kill(-1) and signals to some pids are refused, if nothing better holds them; set no_new_privs on the way."""

    name = "filter_signals"
    call = "prctl"
    fields = ("protected",)
    optional_errnos = ANY_ERRNO
    protected: tuple[int, ...]

    def describe(self) -> str:
        return f"prctl(PR_SET_SECCOMP, no kill(-1), no signal to {len(self.protected)} pids)"

    def apply(self, child: Child) -> None:
        if not child.signals:
            code = seccomp_filters.signals_refused(self.protected)
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            set_filter(code)
            child.signals = "seccomp"
