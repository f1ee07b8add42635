"""Real runs, recorded where they are permitted, for machines where they are not.

``recordings/<name>.json`` holds one RunResult or SandboxResult, and the number of its schema (0.1.0 wrote none, which
is 0). What is recorded is marked as recorded wherever it is shown, and tells nothing of the machine that it was made
on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.privacy import found_in, without
from udock_lab.lesson.showing import Shown
from udock_lab.model import CardLines, LessonCard, RunResult, SandboxResult
from udock_lab.model.plain import bytes_in_text, read_stored, stored, tag
from udock_lab.model.value import Value
from udock_lab.text.nearest import nearest

__all__ = ["Recorded", "from_json", "record", "recorded", "recordings", "to_json"]

FOLDER = Path(__file__).parent / "recordings"
BANNER = "Recorded on a machine where this is permitted (not run here)"
SCHEMA = 1  # of the files
_RENAMED = {"missing_walls": "missing_isolation"}  # fields of results, since schema 0

Result = RunResult | SandboxResult


class Recording(Value):
    """What a file holds."""

    result: RunResult | SandboxResult


def recorded(name: str) -> Recorded:
    """Show a recorded run, under a banner that says so. UsageError, with the nearest one, for a name nobody has."""
    path = FOLDER / f"{name}.json"
    if name not in recordings():
        near = nearest(str(name), recordings())
        guess = f" Did you mean {near!r}?" if near else ""
        raise UsageError(f"There is no recording {name!r}.{guess}", f"There are: {', '.join(recordings()) or 'none'}")
    shown = Recorded(name, from_json(path.read_text(encoding="utf-8")))
    shown.show()
    return shown


def recordings() -> list[str]:
    """Return the names of all recordings."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


class Recorded(Shown):
    """A recorded run; ``result`` is what the run returned where it was made."""

    def __init__(self, name: str, result: Result) -> None:
        self.name, self.result = name, result

    def card(self) -> LessonCard:
        lines = _written(self.result)
        parts = (CardLines(title="it wrote", lines=lines),) if lines else ()
        return LessonCard(label="recorded run", headline=BANNER, mood="some", parts=parts, result=self.result)


def _written(result: Result) -> tuple[str, ...]:
    """Return the program's output; of a sandbox each line behind the role of the process that wrote it."""
    if isinstance(result, RunResult):
        return tuple((result.stdout + result.stderr).decode("utf-8", "replace").splitlines())
    return tuple(f"{chunk.role}: {line}" for chunk in result.output for line in chunk.text.splitlines())


def record(name: str, result: Result) -> Path:
    """Write ``recordings/<name>.json``, without folders and names of this machine. For who keeps the course.

    UsageError if something of this machine would be left in it.
    """
    if not name.isidentifier() or not isinstance(result, (RunResult, SandboxResult)):
        raise UsageError("record takes a name of letters, digits and _, and a RunResult or SandboxResult.")
    home = result.log_path.rpartition("/logs/")[0] if isinstance(result, RunResult) else ""
    text = without(to_json(result), home)
    if private := found_in(text):
        raise UsageError(f"The recording would tell of this machine: {private}", "Record a run that does not say it.")
    path = FOLDER / f"{name}.json"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def to_json(result: Result) -> str:
    """Return a result as JSON that :func:`from_json` turns back into the same result."""
    return json.dumps(stored(Recording(result=result), SCHEMA), indent=1, ensure_ascii=False, default=bytes_in_text)


def from_json(text: str) -> Result:
    """Return the result that :func:`to_json` wrote, now or in an earlier version; UsageError for anything else."""
    try:
        return read_stored(Recording, json.loads(text), SCHEMA, _lift).result
    except (ValueError, RecursionError) as error:
        raise UsageError(f"This is no recording: {error}.") from None


def _lift(old: dict[str, object], schema: int) -> dict[str, object]:
    """Bring to today's shape what had no number: each value said of which class it is, and an array was a tuple."""
    made = {"RunResult": tag(RunResult), "SandboxResult": tag(SandboxResult)}[str(old["is"])]
    value = {"value": _free(old["value"])} if "value" in old else {}
    fields = {_RENAMED.get(name, name): _typed(item) for name, item in old.items() if name != "is"}
    return {"result": {"is": made} | fields | value}


def _typed(old: Any) -> Any:
    """Bring what stands in a field with a type, where it said of which class it is, to today's shape."""
    if isinstance(old, list):
        return [_typed(item) for item in old]
    if not isinstance(old, dict) or old["is"] == "bytes":
        return old
    if old["is"] == "dict":
        return {key: _typed(item) for key, item in old["items"]}
    if set(old) == {"is", "value"}:  # a member of an Enum
        return old["value"]
    return {name: _typed(item) for name, item in old.items() if name != "is"}


def _free(old: Any) -> Any:
    """Bring what a function returned, whose type nobody knows, to today's shape."""
    if isinstance(old, list):
        return {"is": "tuple", "items": [_free(item) for item in old]}
    if not isinstance(old, dict) or old["is"] == "bytes":
        return old
    if old["is"] == "dict":
        return {"is": "dict", "items": [[_free(key), _free(item)] for key, item in old["items"]]}
    items = [_free(item) for item in old["items"]]
    return items if old["is"] == "list" else {"is": old["is"], "items": items}
