"""What a person types, on its way to a program in a container.

No container ever holds the descriptor of a person's terminal: a program that did could go on reading after it was
put aside, and take what was meant for the shell. So keys are read here and passed on: as they come, to the program's
own terminal (:class:`Keys`), or line by line through a pipe, to a program that has none (:class:`Lines`).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
import tty
from _socket import MSG_DONTWAIT
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _socket import socket
    from typing import Self

__all__ = ["Keys", "Lines"]

_CONTROL_D = b"\x04"
_CHUNK = 4096  # bytes; the longest line that a terminal takes (termios(3), canonical mode)
_IN_FLIGHT = 1 << 15  # bytes of keys that lie in the socket unread: behind them there is room for a signal
_REST = 0.1  # seconds until the next look at a terminal that is not to be read now
_OVER = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Lines:
    """Lines typed at the terminal ``fd``, for a program without one: a pipe, which ends at Ctrl-D.

    The terminal keeps its own echo, editing and Ctrl-C. The next line is taken only when the one before has been
    read, and none while this process is in the background: what the program does not want is left to the shell.
    """

    heard: tuple[int, ...] = ()

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.program_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._line = b""
        self._resting = False

    def __enter__(self) -> Self:
        """The program has its end by now; with ours open we would not notice that it closes it."""
        os.close(self.program_end)
        self.program_end = -1
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """No more lines: the program sees the end of its input."""
        for fd in (self.program_end, self._pipe):
            if fd >= 0:
                os.close(fd)
        self.program_end = self._pipe = -1
        self._line = b""

    def waits_for(self) -> dict[int, int]:
        """Descriptors and what they are to become ready for (poll(2))."""
        if self._pipe < 0:
            return {}
        if self._resting:
            return {self._pipe: 0}  # the end of its last reader is told all the same
        return {self._pipe: select.POLLOUT} if self._line else {self._pipe: 0, self.fd: select.POLLIN}

    def rests(self) -> float | None:
        """Seconds after which to look again, though no descriptor is ready."""
        return _REST if self._resting else None

    def go_on(self, ready: dict[int, int]) -> None:
        """Pass on what can be passed on now."""
        self._resting = False
        if ready.get(self._pipe, 0) & _OVER:
            self.close()
        elif self._line:
            self._feed()
        elif self.fd in ready:
            self._take(gone=bool(ready[self.fd] & _OVER))

    def heed(self, notices: bytes) -> None:
        """Signals that came: none changes anything here."""

    def _take(self, *, gone: bool) -> None:
        """One line, if this is the moment to read one. An empty one is Ctrl-D, or the end of the terminal."""
        if not gone and (not _is_ours_to_read(self.fd) or self._unread()):
            self._resting = True
            return
        try:
            with _no_stop_for_reading():
                self._line = os.read(self.fd, _CHUNK)
        except OSError:  # in the background, since a moment ago; or the terminal was hung up
            self._resting = not gone
            if not gone:
                return
        if self._line:
            self._feed()
        else:
            self.close()

    def _feed(self) -> None:
        try:
            self._line = self._line[os.write(self._pipe, self._line) :]
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self.close()

    def _unread(self) -> bool:
        """Does the line before still lie in the pipe (ioctl FIONREAD, pipe(7))?"""
        return fcntl.ioctl(self._pipe, termios.FIONREAD, b"\0" * 4) != b"\0" * 4


class Keys:
    """Keys typed at ``fd``, for the container's own terminal: that one does echo, editing and Ctrl-C.

    ``fd`` is put into raw mode if it is a terminal; the end of a file or a pipe is what Ctrl-D is to a terminal.
    """

    heard: tuple[int, ...] = (signal.SIGTSTP, signal.SIGCONT)

    def __init__(self, fd: int, sock: socket) -> None:
        self.fd = fd
        self.sock = sock
        self._before: list[Any] | None = None
        self._open = True
        self._unsent = b""
        self._newline = True
        self._resting = False

    def __enter__(self) -> Self:
        if os.isatty(self.fd):
            self._before = _make_raw(self.fd)
            self._open = self._before is not None  # it was told to end rather than brought to the foreground
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def waits_for(self) -> dict[int, int]:
        """As in :class:`Lines`, and so are the other methods."""
        if not self._open or self._resting:
            return {}
        return {self.sock.fileno(): select.POLLOUT} if self._unsent else {self.fd: select.POLLIN}

    def rests(self) -> float | None:
        return _REST if self._resting else None

    def go_on(self, ready: dict[int, int]) -> None:
        self._resting = False
        if not self._unsent and self.fd in ready:
            self._read()
        if self._unsent:
            self._send()

    def heed(self, notices: bytes) -> None:
        """Signals of ``heard`` came. The shell gets the terminal as it was, and gives it back in a mode of its own."""
        if signal.SIGTSTP in notices:
            self._restore()
            os.kill(os.getpid(), signal.SIGSTOP)
        if signal.SIGCONT in notices and self._before is not None:
            _make_raw(self.fd)

    def _restore(self) -> None:
        if self._before is not None:
            with suppress(termios.error):  # the terminal was closed meanwhile
                termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        try:
            keys = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            keys = b""
        if keys:
            self._newline = keys.endswith(b"\n")
            self._unsent = keys
        else:
            self._open = False
            self._unsent = _CONTROL_D if self._newline else _CONTROL_D * 2  # the first one ends the line only

    def _send(self) -> None:
        """Not more than the other side takes: what is typed ahead stays where it is."""
        if int.from_bytes(fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4), "little") > _IN_FLIGHT:
            self._resting = True
            return
        try:
            self.sock.send(b"i" + self._unsent, MSG_DONTWAIT)
        except BlockingIOError:
            self._resting = True
            return
        except OSError:
            pass  # the supervisor is gone; its last word is still to be read
        self._unsent = b""


def _make_raw(fd: int) -> list[Any] | None:
    """Raw mode; the mode before, or None where the terminal refuses.

    The kernel stops a job in the background at this call (tcsetattr(3), SIGTTOU) until it comes to the foreground.
    """
    try:
        before = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSADRAIN)  # keys typed ahead stay
    except termios.error:
        return None
    return before


def _is_ours_to_read(fd: int) -> bool:
    """Whether this job is in the foreground (tcgetpgrp(3)); a terminal that no session has may be read by anybody."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True


@contextmanager
def _no_stop_for_reading() -> Iterator[None]:
    """In here, reading the terminal from the background is an error (EIO) instead of a reason to be stopped."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTIN,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
