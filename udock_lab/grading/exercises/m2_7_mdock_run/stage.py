"""What the scenes of M2.7 are played on: homes with images and a history, and looks at a program that runs.

All of it is the referee's: no answer is loaded in the process that builds and looks.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from functools import cache
from typing import Any

from udock_lab.grading.inside import content_of
from udock_lab.linux.elf import inspect_elf, libraries
from udock_lab.linux.load import crowd
from udock_lab.linux.process import parent

__all__ = ["ODD", "Home", "patience", "polls", "put", "take", "the_kernel_says", "waits"]

ODD = {"garbage": "\x01\x02", "script": "#!/no/such/interpreter\n"}  # programs that execve refuses
# What a child waits in, for its parent or for its turn: in /proc/PID/wchan.
_GATES = (
    "pipe", "eventfd", "wait_intr", "unix", "skb", "signal_stop", "lock_inode", "sigtimedwait", "sigsuspend", "pause",
    "futex",
)  # fmt: skip
_POLLS = ("poll", "select")  # for an event, or for a time: who sleeps so, does it for a moment only
_DAY = "2024-03-01T10:00:00"
_SHELL = "/bin/sh"


def put(path: str, text: str, mode: int = 0o644) -> None:
    """Write a file, a byte a character; make its folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text.encode("latin-1"))
    os.chmod(path, mode)


def take(path: str) -> str:
    """Return what a file holds, a byte a character; nothing where there is none."""
    return content_of(path) or ""


def patience(seconds: float) -> float:
    """Return how long that takes here: on a busy machine as many times as long as processes want a processor."""
    return seconds * crowd(6)


def waits(pid: int) -> bool:
    """Return whether a process waits in the kernel for another one: whatever the learner took for a gate."""
    where = take(f"/proc/{pid}/wchan")
    return any(word in where for word in _GATES)


def polls(pid: int) -> bool:
    """Return whether it waits in poll, select or epoll, or wakes up again and again to look (proc_pid_status(5))."""
    where, before = take(f"/proc/{pid}/wchan"), _sleeps(pid)
    if any(word in where for word in _POLLS):
        return True
    time.sleep(0.06)
    return _sleeps(pid) - before > 2


def _sleeps(pid: int) -> int:
    """Return how often it has gone to sleep."""
    found = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", take(f"/proc/{pid}/status"), re.MULTILINE)
    return int(found[1]) if found else 0


class Home:
    """A home of mdock: ``table`` with a history, images.db with every trap at once, and root file systems.

    ``root`` is the image's, ``other`` is that of all images with names like it.
    """

    def __init__(self, name: str, image: str, history: str) -> None:
        self.path, self.image, self.history = os.path.abspath(name), image, history
        self.table = f"{self.path}/containers.db"
        self.root, self.other = (_root_file_system(f"{self.path}/images/{one}/rootfs") for one in (image, f"{image}2"))
        names = [(image[:-1], self.other), (f"{image}2", self.other), (image.upper(), self.other),
                 (image, self.root), (image, self.other)]  # fmt: skip
        damaged = f"{image}|half a line\n{image}|{self.other}|{_DAY}|more\n"
        put(f"{self.path}/images.db", damaged + "".join(f"{one}|{path}|{_DAY}\n" for one, path in names))
        put(self.table, history)
        for odd, text in ODD.items():  # one path, in the image and outside it: chroot may be refused
            for within in ("", self.root):
                put(f"{within}{os.path.abspath(odd)}", text, 0o755)
        put(f"{self.root}/etc/passwd", "root:x:0:0::/:/bin/sh\n")

    def add_image(self, name: str, path: str) -> None:
        """Add a line to images.db."""
        with open(f"{self.path}/images.db", "a") as file:
            file.write(f"{name}|{path}|{_DAY}\n")

    def content(self) -> str:
        """Return the table as it is now."""
        return take(self.table)

    def add(self, line: str) -> None:
        """Add a line to the table, as somebody else's run does."""
        with open(self.table, "ab") as file:
            file.write(line.encode())

    def places(self) -> dict[str, str]:
        """Return the folders in which a program may find itself."""
        return {"the image": self.root, "another image": self.other, "the caller's working directory": os.getcwd()}

    def said(self, name: str) -> tuple[str, str]:
        """Return what a program wrote into a file of that name, and in which place; empty where it is not yet whole."""
        for place, folder in self.places().items():
            if (text := take(f"{folder}/{name}")).endswith("\n"):
                return text.strip(), place
        return "", ""


@cache
def _parts() -> tuple[str, ...]:
    """Return the paths of a shell and what it is loaded with."""
    elf = inspect_elf(_SHELL)
    loader = [elf.interpreter] if elf and elf.interpreter else []
    return (_SHELL, *loader, *(path for _, path in libraries(_SHELL).found))


def _root_file_system(root: str) -> str:
    """Make one in which a shell really starts; each but the first has the first one's files (link(2))."""
    for path in _parts():
        first = os.path.abspath(f"parts{path}")
        if not os.path.exists(first):
            os.makedirs(os.path.dirname(first), exist_ok=True)
            shutil.copy(os.path.realpath(path), first)
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        if not os.path.exists(root + path):
            os.link(first, root + path)
    return root


def the_kernel_says(pid: int, home: Home) -> dict[str, Any]:
    """Return root, working directory, descriptors, variables, words and parent of a program that waits."""
    more = _descriptors(pid)
    for _ in range(3):  # what it opens in passing is not there each time
        time.sleep(0.01)
        more &= _descriptors(pid)
    return {
        "root": _where(f"/proc/{pid}/root", home),
        "cwd": _where(f"/proc/{pid}/cwd", home),
        "fds": sorted(more),
        "variables": take(f"/proc/{pid}/environ").split("\0")[:-1],
        "words": take(f"/proc/{pid}/cmdline").split("\0")[:-1],
        "parent": parent(pid),
    }


def _where(path: str, home: Home) -> str:
    """Name the folder that a link of /proc leads to: by its inode, whatever it is called from there."""
    try:
        found = os.stat(path)
        for name, folder in (home.places() | {"the host's /": "/"}).items():
            there = os.stat(folder)
            if (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino):
                return name
        return os.readlink(path)
    except OSError as error:
        return str(error)


def _descriptors(pid: int) -> set[int]:
    """Return those beyond 0, 1 and 2. From 10 on a shell keeps copies of its own first three."""
    own = {_opened(os.getpid(), fd) for fd in (0, 1, 2)} | {_opened(pid, fd) for fd in (0, 1, 2)} | {"/dev/null"}
    found = map(int, os.listdir(f"/proc/{pid}/fd"))
    return {fd for fd in found if fd > 2 and not (fd >= 10 and _opened(pid, fd) in own)}


def _opened(pid: int, fd: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return ""  # it was open in passing
