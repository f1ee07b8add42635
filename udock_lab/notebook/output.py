"""What the running cell shows: its streams, up to a cap, and whether also what ``%mdock`` and ``%%sandbox`` return."""

from __future__ import annotations

import codecs
import signal
import sys
import time
from textwrap import wrap

from udock_lab.text.terminal import CELL_WIDTH, printable

__all__ = ["CELL_BYTES", "CELL_LINES", "CellOutput", "CellStreams", "shows_the_value", "signals_own"]

CELL_BYTES = 256 * 1024
CELL_LINES = 5_000


class CellStreams:
    """Writes to the cell's output at once, but flushes seldom: a flush waits for ipykernel's thread (0.5 ms).

    A test, a widget, ``capture_output`` or a learner may have put another stream in place: it is asked for every time
    and used as ``print`` uses it, so None shows nothing and ``flush`` may be missing. One that raises ends the showing
    on it, never the program that is shown; ``finish`` says so on the other stream.
    """

    PAUSE = 0.05  # seconds between flushes; ipykernel itself sends what it has five times a second
    SWITCHES = 200  # flushes spent on keeping stdout and stderr in order

    def __init__(self) -> None:
        self.last = ""  # the stream that was written last
        self.failed: dict[str, Exception] = {}
        self._switches = self.SWITCHES
        self._flushed = float("-inf")

    def show(self, stream: str, text: str) -> None:
        """Show text on ``stream``, stdout or stderr."""
        if self.last not in ("", stream) and self._switches:
            self._switches -= 1
            self.flush(self.last)
        self.last = stream
        self._use(stream, "write", text)
        now = time.monotonic()
        if now - self._flushed > self.PAUSE:
            self.flush(stream)
            self._flushed = now

    def flush(self, stream: str) -> None:
        """Hand on what the stream still holds."""
        if hasattr(getattr(sys, stream), "flush"):
            self._use(stream, "flush")

    def finish(self) -> None:
        """Flush both, unless nothing was written: a silent program is not charged for it. Name the one that failed."""
        if self.last:
            self.flush("stdout")
            self.flush("stderr")
        for stream, error in list(self.failed.items()):
            other = "stdout" if stream == "stderr" else "stderr"
            why = f"{type(error).__name__}: {str(error).rstrip('.')}"
            self._use(other, "write", f"[mdock] sys.{stream}, which was replaced, takes no more: {why}.\n")
            self._use(other, "write", "[mdock] Put the old one back, or restart the kernel.\n")

    def _use(self, stream: str, method: str, *text: str) -> None:
        target = getattr(sys, stream)
        if target is None or stream in self.failed:
            return
        try:
            getattr(target, method)(*text)
        except UnicodeEncodeError as error:  # a file opened in ASCII
            told = (part.encode(error.encoding, "backslashreplace").decode(error.encoding) for part in text)
            self._use(stream, method, *told)
        except Exception as error:  # whoever wrote the stream raises what they like
            if signals_own(error):
                raise
            self.failed[stream] = error


class CellOutput:
    """Streams a container's output into the running cell, up to a cap.

    Jupyter drops what comes faster than 1 MB/s or 1,000 messages/s, and a flush per line costs 0.5 ms. So the
    first byte is flushed at once, later ones when 50 ms have passed (ipykernel's own timer flushes the rest),
    and after 256 KiB or 5,000 lines the cell shows no more; the container's log has everything.
    """

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("replace"), "stderr": decoder("replace")}
        self._streams = CellStreams()
        self._bytes = CELL_BYTES
        self._lines = CELL_LINES
        self._capped_at: float | None = None
        self._ends_line = True

    @property
    def capped(self) -> bool:
        """Whether something was left out of the cell."""
        return self._capped_at is not None

    def write(self, stream: str, data: bytes) -> None:
        """Show one chunk; takes it and shows nothing once the cap is reached."""
        if self._capped_at is not None:
            if time.monotonic() - self._capped_at > 1.0:
                self._capped_at = float("inf")
                self.note("the cell shows no more, the program goes on and its log takes everything")
            return
        over = len(data) > self._bytes
        data = data[: self._bytes]
        self._bytes -= len(data)
        text = self._decoders[stream].decode(data)
        count = text.count("\n")
        if count > self._lines or (count == self._lines and not text.endswith("\n")):
            text, over = "".join(text.splitlines(keepends=True)[: self._lines]), True
        self._lines -= count
        if text:
            self._show(stream, text)
        if over:
            self._capped_at = time.monotonic()

    def _show(self, stream: str, text: str) -> None:
        self._streams.show(stream, text)
        self._ends_line = text.endswith("\n")

    def note(self, text: str) -> None:
        """Say something in mdock's own voice: stderr, ``[mdock]`` before every line.

        A longer line is broken between words: a notebook breaks it where it is full, in a word as well.
        """
        on_new_line = self._ends_line or self._streams.last == "stdout"
        self._streams.flush("stdout")
        lines = "".join(f"{line}\n" for said in text.splitlines() for line in _broken(f"[mdock] {printable(said)}"))
        self._streams.show("stderr", lines if on_new_line else "\n" + lines)
        self._streams.flush("stderr")
        self._ends_line = True

    def finish(self, rest: str) -> None:
        """Show what is still held back; when the cell was capped, say where the rest is."""
        if self._capped_at is None:
            for stream, decoder in self._decoders.items():
                text = decoder.decode(b"", final=True)
                if text:
                    self._show(stream, text)
        self._streams.finish()
        if rest and (self.capped or self._streams.failed):
            self.note(rest)


def _broken(line: str) -> list[str]:
    blanks = " " * len("[mdock] ")
    return wrap(line, CELL_WIDTH, subsequent_indent=blanks, break_long_words=False, break_on_hyphens=False)


def signals_own(error: BaseException) -> bool:
    """Return whether the notebook's handler of a signal raised it, as a time limit by ``signal.alarm`` does.

    Such an exception is for the cell, whatever was being done when the signal came.
    """
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(getattr(handler, "func", handler), "__code__", None) for handler in handlers}
    codes |= {getattr(type(handler).__call__, "__code__", None) for handler in handlers if callable(handler)}
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code not in codes:
        step = step.tb_next
    return step is not None


def shows_the_value() -> bool:
    """Return whether the cell shows what the magic that calls this returns.

    It does with ``%mdock ps`` at its end, not with ``r = %mdock ps``.
    """
    from opcode import opname

    frame = sys._getframe(1)
    while frame.f_code.co_name not in ("run_line_magic", "run_cell_magic"):
        if frame.f_back is None:
            return False
        frame = frame.f_back
    caller = frame.f_back
    if caller is None:
        return False
    code, at = caller.f_code.co_code, caller.f_lasti + 2
    while opname[code[at]] == "CACHE":  # of the call itself (dis.Instruction)
        at += 2
    return opname[code[at]] == "PRINT_EXPR" or (opname[code[at]], code[at + 1]) == ("CALL_INTRINSIC_1", 1)
