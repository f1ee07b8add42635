"""What ``%mydock`` shows: whose part is which, how a run ended, and the table as the learner's functions wrote it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from udock_lab.grading.exitinfo import ExitInfo
from udock_lab.grading.history import names_used_by
from udock_lab.lesson.ledger import ledger_in
from udock_lab.lesson.scratch import learner_home
from udock_lab.lesson.showing import Shown
from udock_lab.lesson.standing import stars
from udock_lab.model import CardLines, CardTable, CardText, LessonCard, SandboxResult
from udock_lab.model.value import replace
from udock_lab.mydock.parts import WHOLE, Part, called, short

__all__ = ["OwnRun", "OwnTable", "Parts"]

FIELDS = ("id", "pid", "image", "status", "start", "end", "exit code")
LABEL = "your own mdock"
_TAKEN = re.compile(r"c\d+\|\d+")  # as M2.3 has them: an id, and who took it
THE_WHOLE = "The whole run is yours; in all, "
_WHAT = {
    "m2_1_process_creation": "start a program, wait for its end",
    "m2_2_chroot_permissions": "go into the image",
    "m2_3_container_ids": "an id that nobody else has",
    "m2_4_metadata": "the record, in two phases",
    "m2_5_image_lookup": "from a name to a root file system",
    "m2_6_exec_failure": "the same, with the reason of a failure",
    WHOLE: "all of it, put together",
}


def _calls(part: Part) -> str:
    return ", ".join(part.functions)


class Parts(Shown):
    """``%mydock``: the seven parts, whose each is, and which of them a run calls."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)

    def card(self) -> LessonCard:
        """Return a table with a row for each part."""
        data = ledger_in(learner_home()).read()
        mine = [part for part in self.parts if part.is_theirs]
        whole = any(part.slug == WHOLE for part in mine)
        rows = tuple(_row(part, stars(part.slug, data), whole=whole) for part in self.parts)
        return LessonCard(
            label=LABEL,
            headline=f"{THE_WHOLE if whole else ''}{len(mine)} of {len(self.parts)} parts of this mdock are yours",
            mood="good" if whole else "some" if mine else "",
            parts=(
                CardTable(
                    head=("part", "functions", "what for", "whose", "best check", "where to write it"), rows=rows
                ),
                CardText(text=_what_runs(self.parts)),
            ),
        )


def _row(part: Part, scored: str, *, whole: bool) -> tuple[str, ...]:
    whose = _whose(part, whole=whole)
    return short(part.slug), _calls(part), _WHAT[part.slug], whose, scored or "not tried", os.path.dirname(part.path)


def _whose(part: Part, *, whole: bool) -> str:
    if part.here:
        return "yours, of this notebook"
    if part.kept is not None:
        return "yours, as it was saved"
    return "not found, not called" if whole else "mdock's, in its place"


def _what_runs(parts: Sequence[Part]) -> str:
    whole = next(part for part in parts if part.slug == WHOLE)
    try_it = "`%mydock run demo /bin/sh -c 'echo hello; exit 42'`"
    if whole.is_theirs:
        used = sorted(names_used_by(whole.here.values()) & _own_functions(whole))
        calls = f", and that calls your {', '.join(f'`{name}`' for name in used)}" if used else ""
        return f"{try_it} calls your `run(home, image, argv)` of M2.7{calls}."
    mine = [short(part.slug) for part in called(parts)]
    if mine:
        return f"{try_it} calls your {', '.join(mine)}. What is missing, and the order of all, is mdock's meanwhile."
    return f"{try_it} works already, with mdock's own functions in the place of yours: write the first one."


def _own_functions(whole: Part) -> set[str]:
    run = next(iter(whole.here.values()), None)
    namespace = getattr(run, "__globals__", {})
    return {name for name, value in namespace.items() if getattr(value, "__module__", "") == "__main__"}


class OwnRun(Shown):
    """``%mydock run``: how it ended, by the word of the learner's functions, their record, and what the kernel saw.

    ``info`` is the ``ExitInfo`` that came back, None where none did; ``records`` are the lines that this run wrote.
    """

    def __init__(
        self, parts: Sequence[Part], result: SandboxResult, before: Sequence[str], after: Sequence[str]
    ) -> None:
        self.parts, self.result = tuple(parts), result
        self.records = tuple(line for line in after if line not in before)
        self.told: dict[str, Any] = result.value if isinstance(result.value, dict) else {}
        self.info = _info(self.told)

    def card(self) -> LessonCard:
        """Return it with the timeline of the run below."""
        faults, headline = self._fault(), self._headline()
        result = self.result if called(self.parts) else replace(self.result, calls=())  # all of them mdock's own
        return LessonCard(
            label=LABEL,
            headline=headline[:1].upper() + headline[1:],
            mood="good" if self.info is not None and not faults else "bad",
            parts=(*faults, *_records(self.records), *self._notes()),
            result=result,
        )

    def _headline(self) -> str:
        which = self._which()
        if self.info is not None:
            return f"{_ended(self.info)}, says {which or 'the run that is put together from the parts'}"
        if not self.told:
            return f"{which or 'A part'} never came back: {self.result.verdict}"
        if self.told["how"] == "raised":
            return f"{which or 'The run'} raised {self.told['kind']}: {self.told['shown']}"
        return f"{which or 'A part'} returned {self.told['shown']}, which says not how the program ended"

    def _which(self) -> str:
        """Return whose functions the word is of."""
        whole = any(part.slug == WHOLE and part.is_theirs for part in self.parts)
        slug = self.told.get("part", WHOLE if whole else "")
        part = next((part for part in self.parts if part.slug == slug), None)
        if part is None:
            return ""
        whose = "your" if part.is_theirs else "mdock's"
        return f"{whose} {' or '.join(part.functions)} ({short(part.slug)})"

    def _fault(self) -> tuple[CardLines, ...]:
        line, code = self.told.get("line"), self.told.get("code")
        if self.told.get("how") != "raised" or not isinstance(line, int) or not line or not isinstance(code, str):
            return ()
        return (CardLines(title="your own line", lines=(code,), numbers=(line,)),)

    def _notes(self) -> list[CardText]:
        said = []
        refused = [call for call in self.result.calls if call.name == "chroot" and call.errno == "EPERM"]
        if refused:
            said.append("chroot was refused (EPERM), so / is still this machine's: chdir only, as with mdock here.")
        if self.info is not None and not self.records:
            said.append("No record of this run is in the table: phase 1 and 2 are M2.4.")
        code = self.info and (128 + self.info.signal if self.info.signal else self.info.code)
        wrong = [line for line in self.records if line.count("|") == 6 and line.rpartition("|")[2] != str(code)]
        if self.info is not None and wrong:
            said.append(f"The record does not say exit code {code}: phase 2 completes it (M2.4).")
        if not any(part.slug == WHOLE and part.is_theirs for part in self.parts):
            if self.records:
                said.append(
                    "The pid in the record is that of the process that goes into the image. The program is its child, "
                    "because the part that starts it forks for itself; in M2.7 they become one."
                )
            mine = [short(part.slug) for part in called(self.parts)]
            said.append(
                f"Yours in this run: {', '.join(mine) or 'nothing yet'}. The rest is mdock's; "
                "`%mydock` says where to write it."
            )
        return [CardText(text=text, kind="note") for text in said]


def _info(told: dict[str, Any]) -> ExitInfo | None:
    plain = told.get("plain")
    if told.get("how") != "returned" or not isinstance(plain, list) or not plain:
        return None
    values = plain[0]
    if not isinstance(values, tuple) or len(values) != 3 or not all(v is None or type(v) is int for v in values):
        return None
    return ExitInfo(*values) if (values[0] is None) != (values[1] is None) else None


def _ended(info: ExitInfo) -> str:
    if info.signal is not None:
        return f"The program was ended by signal {info.signal}"
    if info.errno is not None:
        return f"The program did not start (errno {info.errno}), exit code {info.code}"
    return f"The program ended with exit code {info.code}"


class OwnTable(Shown):
    """``%mydock ps``: the lines of ``containers.db``, as the learner's functions wrote them."""

    def __init__(self, lines: Sequence[str], place: str) -> None:
        self.lines, self.place = tuple(lines), place

    def card(self) -> LessonCard:
        """Return the records, and the lines that are none."""
        count = sum(line.count("|") == 6 for line in self.lines)
        headline = f"{count or 'No'} record{'s' * (count != 1)} of your own mdock"
        where = CardText(
            text=f"They stand in `{self.place}/containers.db`. `%mdock` has another one, that yours never touches."
        )
        return LessonCard(label=LABEL, headline=headline, parts=(*_records(self.lines), where))


def _records(lines: Sequence[str]) -> list[CardTable | CardLines]:
    rows = tuple(tuple(line.split("|")) for line in lines if line.count("|") == 6)
    ids = tuple(line for line in lines if _TAKEN.fullmatch(line))
    others = tuple(line for line in lines if line.count("|") != 6 and line not in ids)
    shown: list[CardTable | CardLines] = [CardTable(head=FIELDS, rows=rows)] if rows else []
    shown += (
        [CardLines(title="ids that allocate has taken, with the pid that took each (M2.3)", lines=ids)] if ids else []
    )
    return shown + ([CardLines(title="lines that are no records", lines=others)] if others else [])
