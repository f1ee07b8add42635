"""A kernel that is killed while it starts its first sandbox leaves no folder behind: the keeper removes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from waiting import until

FIRST = "from udock_lab import sandbox\nprint('ready', flush=True)\nsandbox.run('import time; time.sleep(30)')"


def test_kernel_killed_at_its_first_sandbox_leaves_no_scratch_folder(home: Path, tmp_path: Path) -> None:
    for_scratch = tmp_path / "scratch"
    for_scratch.mkdir()
    kernel = subprocess.Popen(
        [sys.executable, "-c", FIRST], env=os.environ | {"TMPDIR": str(for_scratch)}, stdout=subprocess.PIPE
    )
    assert kernel.stdout is not None and kernel.stdout.readline() == b"ready\n"
    assert until(lambda: any(path.is_dir() for path in for_scratch.iterdir()), 60)  # tempfile tries a file before
    kernel.kill()
    kernel.communicate()
    assert until(lambda: not any(for_scratch.iterdir()), 60)
