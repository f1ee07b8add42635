"""A process at two moments: one row a property, and what the rows alone would let a reader believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udock_lab.linux.capabilities import ALL, names_of
from udock_lab.model import RunResult, Snapshot

__all__ = ["Row", "both_moments", "change_notes", "change_rows", "why_alone"]

_UNTOLD = "not told"
_FEW = 4  # capabilities that are named one by one


@dataclass(frozen=True, slots=True)
class Row:
    """A property at both moments. ``words`` are what the text says in place of values of this machine."""

    name: str
    before: str
    after: str
    words: tuple[str, str] = ("", "")

    @property
    def changed(self) -> bool:
        return self.before != self.after


def change_rows(before: Snapshot, after: Snapshot) -> tuple[Row, ...]:
    """Compare every property, the file system's first; of the limits those that changed, and one row for the others."""
    b, a = before, after
    same_space = b.user_namespace == a.user_namespace
    return (
        Row("root directory", b.root or _UNTOLD, a.root or _UNTOLD),
        Row("working directory", b.cwd or _UNTOLD, a.cwd or _UNTOLD, ("the caller's", a.cwd)),
        Row("process id", str(b.pid), str(a.pid)),
        Row("parent", str(b.parent), str(a.parent)),
        Row("session", str(b.session), str(a.session)),
        Row("process group", str(b.group), str(a.group)),
        Row("open files", _files(b), _files(a)),
        *_limit_rows(b, a),
        Row("environment", _environment(b), _environment(a)),
        Row("user ids", _ids(b.uids), _ids(a.uids), (_who(b.uids), _who(a.uids))),
        Row("group ids", _ids(b.gids), _ids(a.gids), (_who(b.gids), _who(a.gids))),
        Row("other groups", _ids(b.groups) or "none", _ids(a.groups) or "none", ("the caller's", "changed")),
        Row("capabilities", _rights(b), _rights(a), ("those of the caller", "all" if _has_all(a) else "others")),
        Row(
            "user namespace",
            b.user_namespace or _UNTOLD,
            a.user_namespace or _UNTOLD,
            ("the caller's", "the caller's" if same_space else "another one"),
        ),
    )


def _files(s: Snapshot) -> str:
    return ", ".join(f"{number} {target}" for number, target in s.files) or _UNTOLD


def _environment(s: Snapshot) -> str:
    return f"{len(s.environment)} names, inherited" if s.environment else _UNTOLD


def _limit_rows(before: Snapshot, after: Snapshot) -> list[Row]:
    earlier = {name: (soft, hard) for name, soft, hard in before.limits}
    later = {name: (soft, hard) for name, soft, hard in after.limits}
    changed = [name for name in later if name in earlier and earlier[name] != later[name]]
    rows = [
        Row(f"limit: {name.removeprefix('Max ')}", _limit(earlier[name]), _limit(later[name]), ("a higher one", ""))
        for name in changed
    ]
    rest = len(later) - len(changed)
    said = f"{rest} {'more' if changed else 'in all'}" if later else _UNTOLD
    return [*rows, Row("other limits" if changed else "limits", said, said)]


def _limit(pair: tuple[str, str]) -> str:
    soft, hard = pair
    return soft if soft == hard else f"{soft} (hard {hard})"


def _ids(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 and numbers else " ".join(map(str, numbers))


def _who(numbers: Sequence[int]) -> str:
    return "root" if numbers and set(numbers) == {0} else "the caller's"


def _has_all(s: Snapshot) -> bool:
    return s.capabilities & ALL == ALL


def _rights(s: Snapshot) -> str:
    names, missing = names_of(s.capabilities), names_of(ALL & ~s.capabilities)
    if not names:
        return "none"
    if not missing:
        return "all"
    if len(missing) <= _FEW:
        return f"all but {', '.join(missing)}"
    return ", ".join(names) if len(names) <= _FEW else f"{len(names)} of {len(names) + len(missing)}"


def both_moments(run: RunResult) -> tuple[Snapshot, Snapshot] | None:
    """Return the first look and the last; None where there is at most one."""
    return (run.snapshots[0], run.snapshots[-1]) if len(run.snapshots) > 1 else None


def why_alone(run: RunResult) -> str:
    """Say why there is nothing to compare; empty where there are two moments."""
    if len(run.snapshots) > 1:
        return ""
    if run.snapshots:
        return "The process ended before the second look, so there is nothing to compare."
    return "No snapshots were asked for. Take them with: %mdock run --snapshots ..."


def _coming(after: Snapshot) -> str:
    names = ", ".join(after.next_environment)
    return f"The environment changes last, by execve itself: then it is {names}." if names else ""


_NAMESPACE = (
    "Ids are shown as the parent sees them, from outside: inside its user namespace the process is root, "
    "and its capabilities hold in there only (user_namespaces(7))."
)
_SURVIVORS = "Of the open files only 0, 1 and 2 survive execve; the others are marked close-on-exec."


def change_notes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Say what the table alone would let a reader believe."""
    space = before.user_namespace != after.user_namespace
    return tuple(filter(None, (_NAMESPACE if space else "", _coming(after), _SURVIVORS)))
