"""A pseudo-terminal with a program on it, seen from the side of the person who sits there."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

__all__ = ["Terminal", "shell_with_mdock"]


class Terminal:
    """``mdock ARGS`` on a pseudo-terminal of its own, as a person sits at it."""

    def __init__(
        self,
        *words: str,
        program: tuple[str, ...] = (sys.executable, "-m", "udock_lab.cli"),
        size: tuple[int, int] = (30, 100),
    ) -> None:
        self.seen = b""
        self.screen, self.side = os.openpty()
        self.before = termios.tcgetattr(self.side)
        self.resize(*size)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(self.side, termios.TIOCSCTTY, 0)
                for fd in (0, 1, 2):
                    os.dup2(self.side, fd)
                os.closerange(3, 1000)
                os.execvp(program[0], [*program, *words])
            finally:
                os._exit(99)
        self.status: int | None = None

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def expect(self, pattern: str, seconds: float = 40.0) -> str:
        """Read until the pattern has come; what stood up to it is forgotten."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern.encode(), self.seen)
            if found:
                text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
                return text.decode("utf-8", "replace")
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} did not come; seen: {self.seen!r}"
            if select.select([self.screen], [], [], left)[0]:
                self.seen += os.read(self.screen, 4096)

    def wait(self) -> int:
        deadline = time.monotonic() + 40
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, "mdock did not end"
            if select.select([self.screen], [], [], 0.01)[0]:
                self.seen += os.read(self.screen, 4096)
        return self.status

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.screen)
        os.close(self.side)


def shell_with_mdock(folder: Path) -> Terminal:
    """A shell with job control, in which ``mdock`` can be typed; its prompt has come."""
    program, rc = folder / "bin" / "mdock", folder / "rc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m udock_lab.cli "$@"\n')
    program.chmod(0o755)
    rc.write_text(f"PS1='H> '\nPATH={program.parent}:$PATH\nbind 'set enable-bracketed-paste off'\n")
    terminal = Terminal(program=("bash", "--noprofile", "--rcfile", str(rc), "-i"))
    terminal.expect("H> ")
    return terminal
