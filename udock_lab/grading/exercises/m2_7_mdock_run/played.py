"""What a scene of M2.7 is given, which nobody can know beforehand, and what it brings home, ready to be judged."""

from __future__ import annotations

import random
import re
import time
from calendar import timegm
from collections.abc import Callable
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.tables import a_zone
from udock_lab.model import SandboxResult

__all__ = ["Call", "Drawn", "Played", "Record", "Wanted", "info", "is_info", "play", "words"]

Call = tuple[str, str, list[str]]  # what it is called here, image, argv
Wanted = list[int | None]  # code, signal, errno
Record = list[str]  # the seven fields of a line
TIMEOUT = 40.0  # seconds; a run takes some hundredths of one
_CALLERS = ("HOME", "LANG", "LOGNAME", "SHELL", "TERM", "UDOCK_TOKEN", "USER")


class Drawn:
    """A home's image and history, the caller's variables, the zone of its clock."""

    def __init__(self) -> None:
        self.image = f"img{random.randrange(100, 1000)}"
        self.highest = random.randrange(200, 890)
        self.history = _history(self.image, self.highest)
        self.token = f"callers{random.randrange(10**6)}"
        zone, self.east = a_zone(summer_time=False)
        self.variables = dict.fromkeys(_CALLERS, self.token) | {"TZ": zone}

    def is_above(self, container: str) -> bool:
        """Return whether no other container has this id, or will have it before long."""
        return container[1:].isdecimal() and int(container[1:]) > self.highest

    def now(self) -> str:
        """Return the local time of that zone, as a record has it."""
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + self.east))

    def is_now(self, text: str) -> bool:
        """Return whether it is local time, ISO 8601 to the second, some minutes ago at most."""
        try:
            told = timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
        except ValueError:
            return False
        return re.fullmatch(r"[0-9-]{10}T[0-9:]{8}", text) is not None and abs(told - time.time() - self.east) < 600


class Played:
    """What the scene saw: ``value`` by the names that it uses; ``history``: what others have written."""

    def __init__(self, drawn: Drawn, result: SandboxResult) -> None:
        value = ev.seen_value(result)
        self.result, self.drawn = result, drawn
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        self.history = str(self.value.get("history", drawn.history))

    def _of_others(self) -> list[str]:
        """Return the lines that others have written, before and while the program ran."""
        return "\n".join((self.drawn.history, self.history, self.value.get("another", ""))).split("\n")

    def own(self, table: str) -> list[Record]:
        """Return the fields of each new line that nobody else wrote, in the order of the file."""
        others = {*self._of_others()}
        return [line.split("|") for line in table.split("\n") if line not in others]

    def records(self, table: str) -> list[Record]:
        """Return those with seven fields, without what became of another container's record."""
        others = {tuple(field.strip() for field in line.split("|")[:2]) for line in self._of_others()}
        return [fields for fields in self.own(table) if len(fields) == 7 and tuple(fields[:2]) not in others]


def play(bench: Bench, scene: Callable[..., object], drawn: Drawn, **values: object) -> Played:
    """Play a scene in a home of its own. The answer is loaded in the runners alone."""
    given = {"image": drawn.image, "history": drawn.history, **values}
    result = bench.play(scene, given, apart=True, trace=False, watch=False, timeout=TIMEOUT)
    played = Played(drawn, result)
    if not played.value and not ev.raised(result) and result.ended_by == "end":
        raise NotSeenError("the scene ended without a word")
    return played


def _history(image: str, highest: int) -> str:
    """Return a table, a byte a character, that holds every trap at once.

    Ids are out of order, string order gets one number wrong, and lines that are no records have higher ids that begin
    like the next one. Two other containers are running, one of the same image.
    """
    end = "2024-03-01T10:00:01"
    lines = [
        f"c9|4009|other|exited|2024-03-01T10:00:00|{end}|0",
        "half a line|",
        f"c{highest + 1}70|77|torn",
        f"c{highest}|4077|other|exited|2024-03-01T10:00:00|{end}|0",
        "",
        f"c{highest + 1}80|78|other|exited|2024-03-01T10:00:00|{end}|0|more",
        "\xff\xfe no text, and no \r end of a line \x0c|",
        "c7 | 77 | other | exited | then | later | 1",
        "c3|4003|other|running|2024-03-01T10:00:00||",
        f"c2|4002|{image}|running|2024-03-01T10:00:00||",
    ]
    return "\n".join(lines) + "\n"


# -- what run returned ------------------------------------------------------------------------------------


def is_info(said: ev.Said | None, wanted: Wanted) -> bool:
    """Return whether run returned this ExitInfo."""
    return said is not None and said.returned and said.is_a("ExitInfo") and said.plain == wanted


def info(values: object) -> str:
    """Write an ExitInfo as the learner would."""
    if not isinstance(values, list) or len(values) != 3:
        return repr(values)
    named = zip(("code", "signal", "errno"), values, strict=True)
    return f"ExitInfo({', '.join(f'{name}={value!r}' for name, value in named if value is not None)})"


def words(said: ev.Said | None, came_back: bool = True) -> str:
    """Say what came of a run."""
    if said is None:
        return "the process that called run ended inside it" if came_back else "run did not come back"
    if said.returned and said.is_a("ExitInfo") and said.is_plain:
        return f"run returned {info(said.plain)}"
    if said.returned and said.kind != "NoneType":
        return f"run returned {said.shown}, of type {said.kind}"
    return ev.worded(said, "run")
