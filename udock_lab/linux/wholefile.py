"""Files that others find whole: the old one or the new one, never half of one (rename(2))."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from udock_lab.linux.ownership import adopt, keep_owner

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write to a file beside it, then rename it; make folders on the way.

    Raises OSError, and leaves what was there.
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
