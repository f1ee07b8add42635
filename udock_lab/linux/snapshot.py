"""What /proc says of a process at one moment (proc(5)): where it is, who it is, what it has open.

What the machine will not tell is left empty.
"""

from __future__ import annotations

import os
from typing import Any

from udock_lab.linux.process import proc_is_ours

__all__ = ["read_snapshot"]


def read_snapshot(pid: int) -> dict[str, Any]:
    """Return the fields of :class:`udock_lab.model.Snapshot`, but for its ``moment``."""
    folder = f"/proc/{pid if proc_is_ours() else 0}"  # no process is 0: better nothing than another's facts
    stat = _read(f"{folder}/stat").rpartition(")")[2].split()
    parent, group, session = (int(word) for word in stat[1:4]) if len(stat) > 3 else (0, 0, 0)
    status = dict(line.split(":", 1) for line in _read(f"{folder}/status").splitlines() if ":" in line)
    return {
        "pid": pid,
        "parent": parent,
        "group": group,
        "session": session,
        "root": _link(f"{folder}/root"),
        "cwd": _link(f"{folder}/cwd"),
        "files": _files(f"{folder}/fd"),
        "limits": _limits(_read(f"{folder}/limits")),
        "environment": _names(_read(f"{folder}/environ")),
        "uids": _numbers(status.get("Uid", "")),
        "gids": _numbers(status.get("Gid", "")),
        "groups": _numbers(status.get("Groups", "")),
        "capabilities": int(status.get("CapEff", "0").strip() or "0", 16),
        "user_namespace": _link(f"{folder}/ns/user"),
    }


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _files(folder: str) -> tuple[tuple[int, str], ...]:
    """Return (descriptor, what it is open on) of each.

    Without the inode's number, which differs from run to run.
    """
    try:
        numbers = sorted(int(name) for name in os.listdir(folder))
    except OSError:
        return ()
    named = ((number, _link(f"{folder}/{number}")) for number in numbers)
    return tuple((number, target.partition(":[")[0]) for number, target in named if target)


def _limits(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return (name, soft, hard) of each line; the columns stand at fixed places below their heads."""
    head, _, lines = text.partition("\n")
    soft, hard, units = (head.find(word) for word in ("Soft", "Hard", "Units"))
    if min(soft, hard, units) < 0:
        return ()
    rows = ((line[:soft], line[soft:hard], line[hard:units]) for line in lines.splitlines())
    return tuple((name.strip(), first.strip(), second.strip()) for name, first, second in rows)


def _names(environ: str) -> tuple[str, ...]:
    return tuple(sorted({pair.partition("=")[0] for pair in environ.split("\0") if pair}))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())
