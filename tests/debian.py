"""A Debian of its own as a tree of files, made by mmdebstrap from the mirror that this machine uses; for root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from elsewhere import debian_mirror  # noqa: E402

__all__ = ["debian", "inside"]


def debian(suite: str, tree: Path, *packages: str) -> Path:
    """Make the tree; skip where this machine cannot."""
    program = shutil.which("mmdebstrap", path=f"{os.environ['PATH']}:/usr/sbin")
    if os.geteuid() != 0 or program is None:
        pytest.skip("needs privilege: only root makes a root file system, with mmdebstrap (apt-get install mmdebstrap)")
    words = [program, "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(packages)}"]
    source = f"deb {debian_mirror()} {suite} main"
    done = subprocess.run([*words, suite, str(tree), source], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return tree


def inside(tree: Path, *command: str, timeout: int = 1500) -> subprocess.CompletedProcess[str]:
    """Run a command in the tree as root, with the network of this machine and what its pip needs for it."""
    words = [str(ROOT / "scripts/machines/enter"), str(tree), *command]
    return subprocess.run(words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
