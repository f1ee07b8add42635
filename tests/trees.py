"""Small trees of files, to copy and to build from."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def small_tree(top: Path) -> Path:
    """Make a tree of two files, one of which may be run."""
    (top / "bin").mkdir(parents=True)
    (top / "bin/sh").write_bytes(b"shell")
    (top / "bin/sh").chmod(0o755)
    (top / "etc").mkdir()
    (top / "etc/motd").write_text("hello")
    return top


def snapshot(top: Path) -> dict[str, tuple[object, ...]]:
    """What must be the same in a copy, by path."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(top):
        for path in [folder, *(os.path.join(folder, name) for name in folders + files)]:
            info = os.lstat(path)
            content: object = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = Path(path).read_bytes()
            size = info.st_size if stat.S_ISREG(info.st_mode) else 0
            key = os.path.relpath(path, top)
            seen[key] = (info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, info.st_rdev, size, content)
    return seen
