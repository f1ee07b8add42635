"""Files that others find whole: the old one or the new one, never half of one (rename(2))."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from udock_lab.linux.ownership import adopt, keep_owner

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """To a file beside it, then rename; folders on the way are made. OSError leaves what was there.

    A symbolic link stays, and leads to the new file; owner and mode stay as they were.
    """
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            try:
                keep_owner(file.fileno(), path.stat())
            except FileNotFoundError:
                adopt(str(path), file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
