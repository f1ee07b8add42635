"""What a person types, on its way to a program in a container.

No container ever holds the descriptor of a person's terminal: a program that did could go on reading after it was
put aside, and take what was meant for the shell. So keys are read here and passed on, through a pipe: as they
come, for the program's own terminal (:class:`Keys`), or line by line, to a program that has none (:class:`Lines`).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from udock_lab.linux.waiting import Readers
from udock_lab.runtime.client.link import LONGEST_LINE, OVER, Input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["Keys", "Lines"]

_CONTROL_C = b"\x03"
_REST = 0.1  # seconds until the next look at a terminal that is not to be read now; at most, for lines
_FIRST_REST = 0.001  # seconds, doubled from look to look
_QUIET = 0.5  # seconds after which a line goes to a program that is not seen to wait, but may want it
_SIGNS = 10  # looks that found such a program to have done something meanwhile


class _Typed:
    """What is typed at ``fd``, on its way through a pipe whose far end the program gets; nothing is read ahead."""

    heard: tuple[int, ...] = ()

    def __init__(self, fd: int, pipe: Input) -> None:
        self.fd = fd
        self.pipe = pipe
        self.interrupts = 0  # Ctrl-C keys that were passed on rather than made a signal of
        self._resting = False
        self._rest = _REST

    @property
    def far_end(self) -> int:
        """The descriptor to hand over."""
        return self.pipe.far_end

    def __enter__(self) -> Self:
        self.pipe.hand_over()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pipe: the reader sees the end of its input."""
        self.pipe.close()

    def waits_for(self) -> dict[int, int]:
        """Return descriptors and what they are to become ready for (poll(2))."""
        waits = self.pipe.waits_for()
        if waits and not self._resting and not self.pipe.is_behind:
            waits[self.fd] = select.POLLIN
        return waits

    def rests(self) -> float | None:
        """Return seconds after which to look again, though no descriptor is ready."""
        return self._rest if self._resting else None

    def started(self, pid: int) -> None:
        """Hear which process may read now: the first one of the program."""

    def go_on(self, ready: dict[int, int]) -> None:
        """Pass on what can be passed on now."""
        self._resting = False
        self.pipe.advance(ready)
        if self.fd in ready and self.pipe.waits_for() and not self.pipe.is_behind:
            self._take(gone=bool(ready[self.fd] & OVER))

    def heed(self, notices: bytes) -> None:
        """Act on signals of ``heard`` that came."""

    def _take(self, *, gone: bool) -> None:
        """Read what was typed, and pass it on. ``gone``: the terminal was hung up, or the pipe closed."""
        raise NotImplementedError


class Lines(_Typed):
    """Lines typed at the terminal ``fd``, for a program without one: a pipe, which ends at Ctrl-D.

    The terminal keeps its own echo, editing and Ctrl-C. A line is taken only when the program waits for it, and none
    while this process is in the background: what the program does not want is left to the shell. That the pipe is
    empty does not say so: a program that has read its last line may be about to end.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd, Input())
        self._readers: Readers | None = None
        self._signs = 0  # of a program that may look for a line without waiting
        self._look_out()

    def started(self, pid: int) -> None:
        self._readers = Readers(self.pipe.fileno(), pid)
        self._look_out()

    def _look_out(self) -> None:
        """Begin to look whether the program waits for the next line."""
        self._rest = _FIRST_REST / 2
        self._since = time.monotonic()
        self._activity: int | None = None

    def _take(self, *, gone: bool) -> None:
        """Read one line, if this is the moment to read one.

        An empty one is Ctrl-D, or the end of the terminal.
        """
        if not gone and not (_is_ours_to_read(self.fd) and self._is_awaited()):
            self._resting, self._rest = True, min(2 * self._rest, _REST)
            return
        try:
            with _no_stop_for_reading():
                line = os.read(self.fd, LONGEST_LINE)
        except OSError:  # in the background, since a moment ago; or the terminal was hung up
            self._resting, line = not gone, b""
            if not gone:
                return
        self._look_out()
        if line:
            self.pipe.write(line)
        else:
            self.pipe.close()

    def _is_awaited(self) -> bool:
        """Return whether the program waits for a line.

        A program may look for one again and again without ever waiting (poll(2) with no timeout, O_NONBLOCK): it gets
        the line after a while in which it was seen to do something. So does one of which this machine tells nothing.
        """
        if self._readers is None or self._unread():
            self._since = time.monotonic()
            return False
        waits = self._readers.wait_for_it()
        if waits:
            self._signs = 0
            return True
        is_quiet = time.monotonic() > self._since + _QUIET
        if waits is None:
            return is_quiet
        self._signs += self._activity not in (None, self._readers.activity)
        self._activity = self._readers.activity
        return self._signs >= _SIGNS and is_quiet

    def _unread(self) -> bool:
        """Return whether the line before is still in the pipe (ioctl FIONREAD, pipe(7))."""
        return fcntl.ioctl(self.pipe.fileno(), termios.FIONREAD, b"\0" * 4) != b"\0" * 4


class Keys(_Typed):
    """Keys typed at ``fd``, for the container's own terminal: that one does echo, editing and Ctrl-C.

    ``fd`` is put into raw mode if it is a terminal; the end of a file or a pipe is what Ctrl-D is to a terminal.
    """

    heard = (signal.SIGTSTP, signal.SIGCONT)

    def __init__(self, fd: int) -> None:
        super().__init__(fd, Input(keys=True))
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        if os.isatty(self.fd):
            self._before = _make_raw(self.fd)
            if self._before is None:  # it was told to end rather than brought to the foreground
                self.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        self.close()

    def heed(self, notices: bytes) -> None:
        """Give the terminal to the shell as it was; take it back in a mode of our own."""
        if signal.SIGTSTP in notices:
            self._restore()
            os.kill(os.getpid(), signal.SIGSTOP)
        if signal.SIGCONT in notices and self._before is not None:
            _make_raw(self.fd)

    def _restore(self) -> None:
        if self._before is not None:
            with suppress(termios.error):  # the terminal was closed meanwhile
                termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)

    def _take(self, *, gone: bool) -> None:
        try:
            keys = os.read(self.fd, LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            keys = b""
        if keys:
            self.interrupts += keys.count(_CONTROL_C)
            self.pipe.write(keys)
        else:
            self.pipe.end()


def _make_raw(fd: int) -> list[Any] | None:
    """Set raw mode; return the mode before, or None where the terminal refuses.

    The kernel stops a job in the background at this call (tcsetattr(3), SIGTTOU) until it comes to the foreground.
    """
    try:
        before = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSADRAIN)  # keys typed ahead stay
    except termios.error:
        return None
    return before


def _is_ours_to_read(fd: int) -> bool:
    """Return whether this job is in the foreground (tcgetpgrp(3)).

    A terminal that no session has may be read by anybody.
    """
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True


@contextmanager
def _no_stop_for_reading() -> Iterator[None]:
    """Make reading the terminal from the background an error (EIO) inside the block, instead of a stop."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTIN,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
