"""The container's own terminal (pty(7)), and the keys for it, which its caller sends through a pipe."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from contextlib import suppress

from udock_lab.wire.loop import Loop

__all__ = ["Terminal"]

_KEYS = 1 << 12  # bytes of what is typed; the longest line that a terminal takes
_FIRST, _LONGEST = 0.01, 0.1  # seconds until a full line discipline is tried again


class Terminal:
    """Its two ends: the master is ours, the slave the program's. ``keys`` is -1 where nobody types.

    The slave stays open here as well: a program may close all of its own and run on.
    """

    def __init__(self, loop: Loop, keys: int) -> None:
        self._loop = loop
        self.master = self.slave = -1
        self._keys = keys
        self._typed = b""  # and not taken by the terminal yet

    def open(self, size: tuple[int, int] | None) -> None:
        """Make it; OSError where this machine has none left."""
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        if size:
            self.resize(*size)

    @property
    def is_open(self) -> bool:
        """Somebody may hang it up."""
        return self.master >= 0

    def resize(self, rows: int, columns: int) -> None:
        """Set the window size; the kernel sends SIGWINCH to the foreground job (ioctl_tty(2))."""
        with suppress(OSError):
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take_keys(self) -> None:
        """Take keys from the pipe as the terminal has room for them."""
        if self._keys >= 0:
            self._loop.watch(self._keys, self._on_keys)

    def close_keys(self) -> None:
        """Take no more: whoever types sees that the pipe is closed."""
        if self._keys >= 0:
            keys, self._keys = self._keys, -1
            self._loop.forget(keys)
            os.close(keys)

    def close(self) -> None:
        """Close both ends, and the pipe."""
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.master = self.slave = -1
        self.close_keys()

    def _on_keys(self, _: int) -> None:
        self._typed = os.read(self._keys, _KEYS)
        if self._typed:
            self._type()
        else:
            self.close_keys()

    def _type(self, pause: float = _FIRST) -> None:
        """Write what was typed. While the line discipline has no room for it, no more is taken from the pipe."""
        if self._keys < 0:
            return
        try:
            self._typed = self._typed[os.write(self.master, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:  # the terminal was hung up
            self._typed = b""
        if self._typed:
            self._loop.pause(self._keys)
            self._loop.later(pause, lambda: self._type(min(2 * pause, _LONGEST)))
        else:
            self._loop.resume(self._keys)
