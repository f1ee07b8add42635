"""A small disk that can be filled or made read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import Disk


@pytest.fixture
def disk(tmp_path: Path, as_root: None) -> Iterator[Disk]:
    """24 MB; gone after the test, and the test fails if somebody still uses it."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", f"udock-{os.getpid()}", place], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"needs privilege: mount is refused: {made.stderr.strip()}")
    small = Disk(place)
    try:
        yield small
    finally:
        small.unmount()


@pytest.fixture
def open_place(as_root: None) -> Iterator[Path]:
    """A folder that every user of the machine reaches; only root may write to it."""
    place = Path(tempfile.mkdtemp(prefix="open-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def strace() -> str:
    path = shutil.which("strace")
    if path is None:
        pytest.skip("needs privilege: strace is missing")
    probe = subprocess.run([path, "-f", "-o", "/dev/null", "/bin/true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"needs privilege: ptrace is refused: {probe.stderr.strip()[:100]}")
    return path
