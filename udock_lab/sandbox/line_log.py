"""Which line of the learner's code ran when, what it changed, and what Python had printed and not yet written.

The runner and every process forked from it write this into memory that they share with the keeper: no system call, no
descriptor, nothing that the code could see or wait for. strace stamps each call with the same clock, so the last line
that a thread began before a call is the line that made it. Nothing is logged unless somebody asked for steps.

Each thread has a segment of the memory: its id, how much is used, then records. The first half of a segment takes
every line; the second half only lines that took long, since a system call under strace does, so that a loop of quick
lines does not fill it. When it is full all the same it begins again, and says so. A record is made before ``used``
includes it: whoever is killed leaves whole ones. After WATCHED lines a thread is left alone.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident, get_native_id
from builtins import len, repr, type  # noqa: A004 - bound here, see _Log
from io import BytesIO, TextIOWrapper
from struct import Struct
from time import time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType
    from typing import Any

__all__ = ["LAST", "SIZE", "log_lines", "number_of", "read_log"]

LAST = "!"  # what stands in the record after which a thread is not watched any more
SEGMENTS = 128  # threads and processes that are logged
SEGMENT = 32 << 10  # bytes each
SIZE = SEGMENTS * SEGMENT
HEAD = Struct("<II")  # thread id, bytes used
RECORD = Struct("<QIH")  # nanoseconds since the epoch, line (0: none of the learner's), bytes of what has changed
FILE = 20  # a line is its number in its file and, from this bit on, the number of the file (0: the code itself)
QUICK = 10_000  # nanoseconds in which no call that strace watches comes back
MOST = 4_000  # bytes of what a record says has changed
WATCHED = 50_000  # lines of a thread: each costs microseconds, and the program has a time limit
NAMES = 40  # variables of one place
LONGEST = 60  # characters of one value
HELD = 200  # characters shown of what is not written yet
FIELD, ENTRY = "\x1f", "\x1e"  # between name and value, and between entries: repr() writes neither

Entry = tuple[int, int, tuple[tuple[str, str], ...]]  # time, line, (name, value; empty: gone) of what has changed


def number_of(line: int, files: int) -> tuple[int, int]:
    """Return a record's line as the number of its file and that in the file; (0, 0) where there is no such file."""
    file = line >> FILE
    return (file, line & (1 << FILE) - 1) if file <= files else (0, 0)


def read_log(memory: bytes) -> dict[int, list[Entry]]:
    """Return what each thread wrote, in order. Learner code could have written there: what makes no sense ends it."""
    found: dict[int, list[Entry]] = {}
    for base in range(0, len(memory) - SEGMENT + 1, SEGMENT):
        thread, used = HEAD.unpack_from(memory, base)
        if thread and HEAD.size < used <= SEGMENT:
            found[thread] = list(_records(memory[base + HEAD.size : base + used]))
    return found


def _records(data: bytes) -> Iterator[Entry]:
    at = 0
    while at + RECORD.size <= len(data):
        time, line, size = RECORD.unpack_from(data, at)
        at += RECORD.size
        text = data[at : at + size].decode("utf-8", "replace")
        at += size
        pairs = (entry.partition(FIELD) for entry in text.split(ENTRY) if entry)
        yield time, line, tuple([(name, value) for name, _, value in pairs])


class _Thread:
    """Where one thread writes, and what was last said of it."""

    __slots__ = (
        "base", "begun", "end", "full", "held", "known", "last", "line", "number", "said", "time", "turn",
        "turned",
    )  # fmt: skip

    def __init__(self, known: dict[str, dict[str, str]], held: dict[str, str]) -> None:
        self.base = self.end = self.last = self.number = 0
        self.full = True  # no segment was free
        self.turn = self.turned = 0  # where the second half begins, and when
        self.line = -1
        self.begun = 0  # lines
        self.time = 0
        self.said = 0  # bytes of what had changed, in the last record
        self.known = {place: {**values} for place, values in known.items()}  # by place and name: as last written
        self.held = {**held}  # by stream: text that was not written yet

    def claim(self, memory: Any) -> None:
        """Take the first segment that is free, from the place on that this thread's id gives it."""
        self.number = get_native_id()
        for turn in range(SEGMENTS):
            base = (self.number + turn) % SEGMENTS * SEGMENT
            owner, used = HEAD.unpack_from(memory, base)
            if owner in (0, self.number):
                used = used or HEAD.size
                HEAD.pack_into(memory, base, self.number, used)
                self.base, self.end, self.full = base, base + used, False
                return

    def write(self, memory: Any, time: int, line: int, text: bytes, *, over: bool) -> None:
        """Write a record, ``over`` the last one if that may go."""
        at = self.last if over and not self.said else self.end
        if at + RECORD.size + len(text) > self.base + SEGMENT:
            at, text = self.begin_again(memory), self.everything()
        RECORD.pack_into(memory, at, time, line, len(text))
        self.last, self.end, self.line, self.said = at, at + RECORD.size + len(text), line, len(text)
        memory[at + RECORD.size : self.end] = text
        HEAD.pack_into(memory, self.base, self.number, self.end - self.base)
        if not self.turn and self.end - self.base >= SEGMENT // 2:
            self.turn, self.turned = self.end, time

    def begin_again(self, memory: Any) -> int:
        """Give up the second half, and say that nothing is known of the time in which it was written."""
        HEAD.pack_into(memory, self.base, self.number, self.turn - self.base)
        RECORD.pack_into(memory, self.turn, self.turned + 1, 0, 0)
        return self.turn + RECORD.size

    def everything(self) -> bytes:
        """Return all that is known, as news."""
        values = [
            f"={name}{f' in {place}' if place else ''}{FIELD}{value}"
            for place, names in self.known.items()
            for name, value in names.items()
        ]
        return _encoded(values + [f">{name}{FIELD}{text}" for name, text in self.held.items()])


def log_lines(memory: Any, files: Sequence[str], names: dict[str, object]) -> Callable[[], None]:
    """Log this process and its forks from now on; return what to call when the code has come to its end.

    ``memory`` is mapped and shared; ``files`` are the file names of the code and of the functions that it is to be
    followed into; ``names`` is its namespace, whose present values are no news.
    """
    import threading  # what starts threads for learners; before their first line, like all that is imported here

    log = _Log(memory, files, names)
    os.register_at_fork(after_in_child=log.in_child)
    threading.settrace(log.on_call)
    sys.settrace(log.on_call)
    return log.leave


class _Log:
    """Notes what Python tells of each line (sys.settrace).

    Whatever is needed is bound when this module is imported: learner code may replace any name of any module. Nothing
    here catches an exception: a signal handler of the learner's may run, and raise, between any two lines.
    """

    def __init__(self, memory: Any, files: Sequence[str], names: dict[str, object]) -> None:
        self.memory = memory
        self.files = {name: number << FILE for number, name in enumerate(files)}
        self.threads: dict[int, _Thread] = {}
        self.held_by = _reader_of_held_text()
        given = {name: text for name, value in names.items() if (text := small(value)) is not None}
        self.main = _Thread({"": given}, {})

    def on_call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return self.on_line if frame.f_code.co_filename in self.files else None

    def on_line(self, frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            mine = self.threads.get(get_ident()) or self.thread()
            mine.begun += 1
            if mine.begun > WATCHED:
                return self.watch_no_more(mine, frame)
            self.note(self.line_of(frame), frame)
        elif event == "return":
            self.forget(frame)
            above = frame.f_back
            while above is not None and above.f_code.co_filename not in self.files:
                above = above.f_back
            self.note(self.line_of(above) if above is not None else 0, above)
        return self.on_line

    def line_of(self, frame: FrameType) -> int:
        """Return the line on which a frame of these files is, as it is written."""
        return self.files[frame.f_code.co_filename] + frame.f_lineno

    def watch_no_more(self, mine: _Thread, frame: FrameType | None) -> None:
        """Let this thread run at its own pace; calls that it makes from now on have no line."""
        sys.settrace(None)
        while frame is not None:
            frame.f_trace = None
            frame = frame.f_back
        if not mine.full:
            mine.write(self.memory, time_ns(), 0, _encoded([LAST + FIELD]), over=False)
            mine.full = True

    def in_child(self) -> None:
        """Begin a log of its own: after fork this is another thread, on the same line."""
        was = self.threads.get(get_ident(), self.main)
        if was.begun > WATCHED:
            return
        self.threads.clear()
        mine = self.threads[get_ident()] = _Thread(was.known, was.held)
        mine.claim(self.memory)
        if was.line > 0 and not mine.full:
            mine.write(self.memory, time_ns(), was.line, b"", over=False)

    def leave(self) -> None:
        """Note that the code has come to its end."""
        self.note(0, None)

    def thread(self) -> _Thread:
        """Return where this thread writes."""
        found = self.threads.get(get_ident())
        if found is None:
            found = self.threads[get_ident()] = _Thread(self.main.known, self.main.held)
            found.claim(self.memory)
        return found

    def note(self, line: int, frame: FrameType | None) -> None:
        """Note that this line begins."""
        mine = self.thread()
        if mine.full:
            return
        now = time_ns()
        counts = mine.end - mine.base < SEGMENT // 2 or now - mine.time > QUICK
        text = self.news(mine, frame) if counts and frame is not None else b""
        if line != mine.line or text:
            mine.write(self.memory, now, line, text, over=not counts)
        mine.time = time_ns()

    def news(self, mine: _Thread, frame: FrameType) -> bytes:
        """Return what has changed in the place where this frame runs, as it is written."""
        place = "" if frame.f_code.co_name == "<module>" else frame.f_code.co_name
        behind = f" in {place}" if place else ""
        values, said, streams = frame.f_locals.copy(), [], {"stdout": sys.stdout}
        known = mine.known.setdefault(place, {})
        for name, value in values.items():
            if type(value) is TextIOWrapper:
                streams[name + behind] = value
            text = small(value)
            if text is None or name[:2] == "__" or known.get(name) == text:
                continue
            if name in known or len(known) < NAMES:
                known[name] = text
                said.append(f"={name}{behind}{FIELD}{text}")
        for name in [name for name in known if name not in values]:
            del known[name]
            said.append(f"={name}{behind}{FIELD}")
        for name, stream in streams.items():
            text = self.held_by(stream)
            if text is not None and mine.held.get(name, _NOTHING) != text:
                mine.held[name] = text
                said.append(f">{name}{FIELD}{text}")
        return _encoded(said)

    def forget(self, frame: FrameType) -> None:
        """Note that a function's variables are gone."""
        place, mine = frame.f_code.co_name, self.thread()
        known = mine.known.pop(place, None) if place != "<module>" else None
        if known and not mine.full:
            gone = _encoded([f"={name} in {place}{FIELD}" for name in known])
            mine.write(self.memory, time_ns(), self.line_of(frame), gone, over=False)


def _encoded(said: list[str]) -> bytes:
    return ENTRY.join(said).encode("utf-8", "backslashreplace")[:MOST]


_NOTHING = "''"
_PLAIN = (int, bool, float, str, bytes, type(None))


def small(value: object) -> str | None:
    """Write a value of a built-in type, None for all others: no ``__repr__`` of the learner's runs here."""
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= LONGEST else f"{value[:LONGEST]!r}…"  # type: ignore[arg-type,index]
    if kind is int:
        return repr(value) if -(1 << 64) < value < 1 << 64 else "a big int"  # type: ignore[operator]
    if kind in _PLAIN:
        return repr(value)
    if kind is tuple or kind is list:
        few = value[:8]  # type: ignore[index]
        if not [item for item in few if type(item) not in _PLAIN]:
            inner = ", ".join([small(item) or "" for item in few])
            more = ", …" if len(value) > 8 else "," if kind is tuple and len(few) == 1 else ""  # type: ignore[arg-type]
            return f"({inner}{more})" if kind is tuple else f"[{inner}{more}]"
    return None


def _reader_of_held_text() -> Callable[[Any], str | None]:
    """Return what reads the text that a stream was given and has not handed on, as a repr; None where it can't tell.

    A TextIOWrapper holds it in ``pending_bytes``, which no method gives out. But the garbage collector must know it:
    it is the one str, bytes or list among the stream's referents that the stream does not have when it is empty. What
    a BufferedWriter holds below is memory of its own: nobody can tell. Where this interpreter's collector says
    something else, a trial finds it out, and nothing is told.
    """
    import gc

    of, wrapper, kinds, joined = gc.get_referents, TextIOWrapper, (str, bytes, list), _joined
    standard = sys.stdout
    empty = [thing for thing in of(standard) if type(thing) in kinds] if type(standard) is wrapper else []

    def held_by(stream: Any) -> str | None:
        if type(stream) is not wrapper:
            return None
        own = list(empty) if stream is standard else [stream.encoding, stream.errors]
        for thing in of(stream):
            if type(thing) in kinds:
                for number, one in enumerate(own):
                    if one is thing:
                        del own[number]
                        break
                else:
                    return joined(thing)
        return _NOTHING

    trial = TextIOWrapper(BytesIO(), encoding="utf-8", write_through=False)
    before = held_by(trial)
    trial.write("trial")
    trial.write("\u00fc")
    if (before, held_by(trial)) != (_NOTHING, repr("trial\u00fc")):
        return lambda _stream: None
    return held_by


def _joined(held: Any) -> str:
    pieces = held if type(held) is list else [held]
    text = "".join([piece if type(piece) is str else piece.decode("utf-8", "replace") for piece in pieces])
    return repr(text) if len(text) <= HELD else f"{text[:HELD]!r}… ({len(text)} characters)"
