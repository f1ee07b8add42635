"""Hostile homes: a small disk that can be filled, and ``mdock`` as a process, as root or as somebody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from udock_lab.runtime.state import containers
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import list_images

NOBODY = 65534
QUICKLY = 60.0  # seconds; whatever takes longer hangs

# The interpreter may lie where only root can read, so everything is imported before root is given up.
_AS_SOMEBODY = """
import codecs, difflib, importlib, os, pkgutil, sys, traceback
codecs.lookup("unicode_escape")
for part in ("commands", "display", "linux", "runtime"):
    package = importlib.import_module(f"udock_lab.{part}")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from elftools.elf.elffile import ELFFile
from udock_lab.text import arguments
from udock_lab.cli import main
user = int(sys.argv[1])
os.setgroups([]); os.setgid(user); os.setuid(user)
sys.exit(main(sys.argv[2:]))
"""


class Mdock:
    """Runs ``mdock`` with ``home``; the words of its two streams are in ``stdout`` and ``stderr``.

    A home that is called ``.mdock`` is found as a user's is, in HOME; another has to be named by the variable.
    """

    def __init__(self, home: Path | str, **env: str) -> None:
        self.home = Home(home)
        folder, name = os.path.split(home)
        self.env = os.environ | ({"HOME": folder} if name == ".mdock" else {"MDOCK_HOME": str(home)}) | env

    def __call__(
        self, *words: str, user: int | None = None, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """One command, as root or as ``user``; it ends in time and without a traceback."""
        start = ["-m", "udock_lab.cli"] if user is None else ["-c", _AS_SOMEBODY, str(user)]
        result = subprocess.run(
            [sys.executable, *start, *words],
            env=self.env | env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=QUICKLY,
        )
        assert "Traceback" not in result.stderr, result.stderr
        return result

    def check_tables(self) -> tuple[list[str], list[str]]:
        """Names of the images and ids of the containers; every line is whole, and nothing is half made."""
        images, no_images = list_images(self.home.images_db)
        records, no_records = containers.read_all(self.home)
        assert no_images == no_records == []
        stray = [path for path in Path(self.home.path).rglob("*") if path.name.endswith((".tmp", ".partial"))]
        assert stray == []
        assert not [name for name in os.listdir(self.home.run_dir) if name.startswith(("demo-", "copy-", "resources-"))]
        return [image.name for image in images], [record.id for record in records]


class Disk:
    """A small file system of its own at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.balloon = path / "balloon"

    def fill(self, free: int) -> None:
        """Leave ``free`` bytes, rounded down to pages."""
        self.empty()
        with self.balloon.open("wb") as file:
            info = os.statvfs(self.path)
            os.posix_fallocate(file.fileno(), 0, (info.f_bavail - free // info.f_bsize) * info.f_bsize)

    def empty(self) -> None:
        self.balloon.unlink(missing_ok=True)

    def read_only(self, yes: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", self.path], check=True)

    def unmount(self) -> None:
        deadline = time.monotonic() + 5
        while (ended := subprocess.run(["umount", self.path], capture_output=True, text=True)).returncode:
            if time.monotonic() > deadline:
                subprocess.run(["umount", "-l", self.path], check=False)
                raise AssertionError(f"somebody still uses the disk: {ended.stderr}")
            time.sleep(0.05)


def eventually(true: Callable[[], bool], patience: float = 10.0) -> None:
    """Wait until ``true()`` is."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
