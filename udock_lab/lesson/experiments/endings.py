"""``make_odd_programs``: eight programs that end in eight ways."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from udock_lab.lesson.experiments.finding import Finding

if TYPE_CHECKING:
    from udock_lab.lesson.session import Lesson

__all__ = ["OddPrograms", "make_odd_programs"]

NAMES = {
    "no-file": "there is no such file",
    "no-interpreter": "a script for /bin/nosuch-sh, which nobody has",
    "no-loader": "a shell; its loader has a name that nobody knows",
    "dangling": "a link to /bin/nowhere, which is not there",
    "no-library": "a shell; one of its libraries has a name that nobody knows",
    "exits-127": "a script of one line: exit 127",
    "not-executable": "a script without the x permission",
    "no-format": "a text without a #! line",
}


class OddPrograms(Finding):
    """The programs, in ``folder``; ``names`` in order, ``path(name)`` is where one lies, or would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = str(folder), list(NAMES)
        super().__init__(
            "Eight programs, in /bin of one folder",
            ("NAME", "WHAT IT IS"),
            list(NAMES.items()),
            call="make_odd_programs",
            program=sys.modules[__name__],
        )

    def path(self, name: str) -> str:
        """Return the whole path of that name."""
        return f"{self.folder}/bin/{name}"


def make_odd_programs(lesson: Lesson) -> OddPrograms:
    """Write them into a root file system with a shell, its loader and its libraries."""
    folder = Path(lesson.home).with_name("odd")
    lesson.runtime.rootfs(folder, ["/bin/sh"])
    shell = Path("/bin/sh").read_bytes()

    def put(name: str, data: bytes, mode: int = 0o755) -> None:
        (folder / "bin" / name).write_bytes(data)
        (folder / "bin" / name).chmod(mode)

    put("no-interpreter", b"#!/bin/nosuch-sh\necho hello\n")
    put("no-loader", shell.replace(b"/ld-", b"/no-"))
    put("no-library", shell.replace(b"libc.", b"libX."))
    put("exits-127", b"#!/bin/sh\nexit 127\n")
    put("not-executable", b"#!/bin/sh\necho hello\n", 0o644)
    put("no-format", b"echo hello\n")
    link = folder / "bin/dangling"
    link.unlink(missing_ok=True)
    link.symlink_to("/bin/nowhere")
    return OddPrograms(folder)
