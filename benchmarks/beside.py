"""An earlier version of udock_lab beside today's, so that both are measured in one run.

It is taken from this repository's own history into ``~/.cache/udock-lab/bench`` (``XDG_CACHE_HOME``), with a virtual
environment of its own that finds all other packages where today's version does.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EARLIER", "NOT_HERE", "Version", "earlier", "today"]

EARLIER = "6ad5ff1"  # the launch path before it was rebuilt
NOT_HERE = "not here: this repository's history cannot be read (a shallow clone, or somebody else's)"
ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!{python}
import re
import sys
from udock_lab.cli import command
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(command())
"""


@dataclass(frozen=True)
class Version:
    """How one version is started: its Python, the folder that holds its package, its program ``mdock``."""

    python: str
    folder: str
    mdock: str


def earlier(commit: str = EARLIER) -> Version | None:
    """Install that version, unless it is there; None where the history cannot be read."""
    git = ["git", "-C", str(ROOT)]
    try:
        known = subprocess.run([*git, "cat-file", "-e", f"{commit}^{{commit}}"], stderr=subprocess.DEVNULL)
        if known.returncode:
            return None
        archive = subprocess.run([*git, "archive", commit, "udock_lab"], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udock-lab" / "bench"
    own = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]  # one for each environment that it borrows from
    place = cache / f"{commit}-{own}"
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(place / "source", filter="data")
    python = place / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(place / "venv", symlinks=True)
    _borrow(place / "venv", place / "source")
    mdock = place / "venv" / "bin" / "mdock"
    mdock.write_text(COMMAND.format(python=python))
    mdock.chmod(0o755)
    return Version(str(python), str(place / "source"), str(mdock))


def today() -> Version:
    """The ``mdock`` beside this Python; SystemExit with what to type where it is not installed."""
    mdock = Path(sys.executable).parent / "mdock"
    if not mdock.exists():
        raise SystemExit(f"{mdock} is missing. Install it: make .venv/.tested   Then: make bench")
    return Version(sys.executable, str(ROOT), str(mdock))


def _borrow(environment: Path, source: Path) -> None:
    """Let it find its own package first, then what is installed here; read at each start what is read at ours."""
    here = Path(sysconfig.get_path("purelib"))
    there = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    for path in here.glob("*.pth"):
        if "udock_lab" not in path.name:
            (there / path.name).write_text(path.read_text())
    (there / "_udock_lab.pth").write_text(f"{source}\n{here}\n")
