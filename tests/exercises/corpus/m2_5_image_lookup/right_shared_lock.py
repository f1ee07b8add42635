"""Waits for writers that lock."""

import fcntl


def find_image_by_name(db: str, name: str) -> str | None:
    """Reads under a shared lock, so that a writer that locks is waited for."""
    try:
        f = open(db, "rb")
    except FileNotFoundError:
        return None
    with f:
        fcntl.flock(f, fcntl.LOCK_SH)
        for line in f:
            try:
                a, b, c = line.decode().rstrip("\n").split("|")
            except ValueError:
                continue
            if a == name and a and b and c:
                return b
        return None
