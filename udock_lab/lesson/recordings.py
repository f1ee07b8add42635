"""Real runs, recorded where they are permitted, for machines where they are not.

``recordings/<name>.json`` holds one RunResult or SandboxResult, and the number of its schema (0.1.0 wrote none, which
is 0, with the same fields as 1). What is recorded is marked as recorded wherever it is shown, and tells nothing of the
machine that it was made on.
"""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from pathlib import Path
from typing import Any

from udock_lab import model
from udock_lab.errors import UsageError
from udock_lab.lesson.privacy import found_in, without
from udock_lab.lesson.showing import Shown
from udock_lab.model import CardLines, LessonCard, RunResult, SandboxResult
from udock_lab.text.nearest import nearest

__all__ = ["Recorded", "from_json", "record", "recorded", "recordings", "to_json"]

FOLDER = Path(__file__).parent / "recordings"
SCHEMA = 1
BANNER = "Recorded on a machine where this is permitted (not run here)"
_KINDS: dict[str, Any] = {name: getattr(model, name) for name in model.__all__}

Result = RunResult | SandboxResult


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
    return json.dumps({"schema": SCHEMA} | _plain(result), indent=1, ensure_ascii=False)


def from_json(text: str) -> Result:
    """Return the result that :func:`to_json` wrote, in this version or before; raise UsageError for anything else."""
    try:
        plain = json.loads(text)
        schema = plain.pop("schema", 0) if isinstance(plain, dict) else 0
        if schema not in (0, SCHEMA):
            raise ValueError(f"its schema is {schema!r}, and this version reads up to {SCHEMA}")
        value = _value(plain)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"This is no recording: {error}.") from None
    if not isinstance(value, (RunResult, SandboxResult)):
        raise UsageError("This is no recording: it holds neither a RunResult nor a SandboxResult.")
    return value


def _plain(value: Any) -> Any:
    """Return values of the model as JSON.

    An array is a tuple; what JSON has no word for is an object that says ``is``.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"is": type(value).__name__} | fields
    if isinstance(value, Enum):
        return {"is": type(value).__name__, "value": value.value}
    if isinstance(value, bytes):
        return {"is": "bytes", "latin1": value.decode("latin-1")}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (list, set, frozenset)):
        return {"is": type(value).__name__, "items": [_plain(item) for item in value]}
    if isinstance(value, dict):
        return {"is": "dict", "items": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_value(item) for item in plain)
    if not isinstance(plain, dict):
        return plain
    kind = plain.pop("is")
    if kind == "bytes":
        return plain["latin1"].encode("latin-1")
    if kind in ("list", "set", "frozenset"):
        makers: dict[str, Any] = {"list": list, "set": set, "frozenset": frozenset}
        return makers[kind](_value(item) for item in plain["items"])
    if kind == "dict":
        return {_value(key): _value(item) for key, item in plain["items"]}
    made = _KINDS[kind]
    return made(plain["value"]) if issubclass(made, Enum) else made(**{name: _value(v) for name, v in plain.items()})
