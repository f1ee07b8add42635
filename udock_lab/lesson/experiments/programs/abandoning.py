"""mdock runs a container in the background and is killed before its end: ``lesson.kill_mdock_midway``.

When this process ends, the sandbox around it kills all that it has started: mdock's supervisor and the container.
"""

from __future__ import annotations

import subprocess
import sys


def run_in_the_background(image: str) -> int:
    """Do what ``mdock run -d IMAGE -- /bin/sleep 60`` does in a terminal, and return its exit code."""
    mdock = [sys.executable, "-m", "udock_lab"]
    return subprocess.run([*mdock, "run", "-d", image, "--", "/bin/sleep", "60"], capture_output=True).returncode
