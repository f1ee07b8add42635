"""A pseudo-terminal with a program on it, seen from the side of the person who sits there."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

__all__ = ["Terminal", "shell_with_mdock", "start_at"]


def start_at(side: int, command: list[str], **how: Any) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, with ``side`` as its controlling terminal and its three standard streams.

    The first terminal that the leader of a session opens becomes its controlling one (open(2), O_NOCTTY), so that the
    shell need only open it, and this process not be forked.
    """
    shell = ["sh", "-c", 'exec "$@" <>"$0" >&0 2>&0', os.ttyname(side)]
    return subprocess.Popen([*shell, *command], start_new_session=True, **how)


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
        self.process = start_at(self.side, [*program, *words])
        self.pid = self.process.pid
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
            self.status = self.process.poll()
            assert time.monotonic() < deadline, "mdock did not end"
            if select.select([self.screen], [], [], 0.01)[0]:
                self.seen += os.read(self.screen, 4096)
        return self.status

    def close(self) -> None:
        if self.status is None:
            self.process.kill()
            self.process.wait()
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
