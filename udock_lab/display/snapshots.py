"""A process at two moments, and what changed in between: one row a property.

The text is the same on every machine that did the same: it shows the rows that changed, with words for what
differs from machine to machine (whose user id, which namespace), and only names those that did not. The HTML
shows every row with its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udock_lab.display import text as plain
from udock_lab.display.html import card, say
from udock_lab.linux.capabilities import ALL, names_of
from udock_lab.model import RunResult, Snapshot

__all__ = ["Row", "change_rows", "changes_body", "changes_html", "changes_text"]

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
    """Every property, the file system's first; of the limits those that changed, and one row for the others."""
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


def _pair(run: RunResult) -> tuple[Snapshot, Snapshot] | None:
    return (run.snapshots[0], run.snapshots[-1]) if len(run.snapshots) > 1 else None


def _alone(run: RunResult) -> str:
    """Why there is nothing to compare; empty where there are two moments."""
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


def _notes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """What the table alone would let a reader believe."""
    space = before.user_namespace != after.user_namespace
    return tuple(filter(None, (_NAMESPACE if space else "", _coming(after), _SURVIVORS)))


def changes_text(run: RunResult) -> str:
    """What changed, at the gate and before exec, then the names of what did not."""
    pair = _pair(run)
    if pair is None:
        return _alone(run)
    rows = change_rows(*pair)
    changed = [
        [
            row.name,
            *(plain.elided(word or value, run) for word, value in zip(row.words, (row.before, row.after), strict=True)),
        ]
        for row in rows
        if row.changed
    ]
    lines = plain.table(("CHANGED", pair[0].moment.upper(), pair[1].moment.upper()), changed).splitlines()
    lines.append(f"the same: {', '.join(row.name for row in rows if not row.changed)}")
    lines += _notes(*pair)
    return "\n".join(plain.clean(line) for line in lines)


def changes_body(run: RunResult) -> str:
    """The table, without the frame."""
    pair = _pair(run)
    if pair is None:
        return f"<p>{say(_alone(run))}</p>"
    head = "".join(f'<th scope="col">{say(name)}</th>' for name in ("", pair[0].moment, pair[1].moment, ""))
    body = "".join(_row(row, run) for row in change_rows(*pair))
    notes = "".join(f'<p class="note">{say(note)}</p>' for note in _notes(*pair))
    return f'<table class="changes"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}'


def _row(row: Row, run: RunResult) -> str:
    before, after = (say(plain.elided(value, run)) for value in (row.before, row.after))
    if not row.changed:
        return (
            f'<tr class="same"><th scope="row">{say(row.name)}</th><td>{before}</td><td>{after}</td><td>same</td></tr>'
        )
    return (
        f'<tr><th scope="row">{say(row.name)}</th><td>{before}</td><td><strong>{after}</strong></td>'
        '<td><strong class="mark">← changed</strong></td></tr>'
    )


def changes_html(run: RunResult) -> str:
    """The two moments side by side, what changed marked by a word."""
    return card(changes_body(run), "the process before and after")
