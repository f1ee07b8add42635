"""This clone's package as a wheel, for places that have no clone: the learners' repository, an autograder."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from udock_lab.errors import MdockError

__all__ = ["CLONE", "wheel"]

CLONE = Path(__file__).resolve().parents[2]


def wheel(place: Path) -> Path:
    """Build it into a folder: without the network where its build backend is installed.

    Raises MdockError with what the build said.
    """
    offline = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", *offline]
    done = subprocess.run([*command, "--wheel-dir", place, CLONE], capture_output=True, text=True)
    if done.returncode:
        raise MdockError(f"The package could not be built: {done.stderr.strip()[-500:]}", "Is the network there?")
    return next(place.glob("*.whl"))
