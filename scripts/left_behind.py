"""What a run in the folder given left: processes that know the folder, mounts, temporary files in its ``tmp``.

Waits a few seconds for what is ending, prints what is left, and ends with 1 if anything is.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 5.0  # seconds


def processes(folder: str) -> list[str]:
    """List processes by their environment; containers, which inherit none, by their root and working directory."""
    found, mark = [], folder.encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), os.getppid()):
            continue
        with suppress(OSError):
            places = (os.readlink(entry / "root"), os.readlink(entry / "cwd"))
            if mark in (entry / "environ").read_bytes() or any(place.startswith(folder) for place in places):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"process {entry.name}: {command[:120]}")
    return found


def main() -> int:
    """Look until nothing is left, or patience is."""
    folder = os.path.realpath(sys.argv[1])
    deadline = time.monotonic() + PATIENCE
    while (left := processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    left += [f"mount {place}" for place in mounts if place.startswith(folder)]
    left += [f"temporary {p.name}" for p in Path(folder, "tmp").iterdir() if p.name.startswith(("udock", "mdock"))]
    for what in left:
        print(f"LEFT BEHIND: {what}")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
