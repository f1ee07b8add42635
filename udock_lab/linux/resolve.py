"""Find a file the way the kernel would find it inside a chroot, without being inside one.

``os.path.realpath`` is no help here: it follows an absolute symlink to the host's root. Inside a root
file system an absolute symlink starts again at that root, and ``..`` at the top stays at the top
(path_resolution(7)). Only ``os`` and ``errno`` are imported: this file is on the launch path.
"""

from __future__ import annotations

import errno
import os

__all__ = ["MAX_SYMLINKS", "resolve_in_root", "shebang"]

# MAXSYMLINKS in the kernel's include/linux/namei.h: one more link is ELOOP.
MAX_SYMLINKS = 40

# BINPRM_BUF_SIZE: the kernel looks at the first 256 bytes of a script and no further (execve(2)).
_BINPRM_BUF_SIZE = 256


def resolve_in_root(root: str, path: str, cwd: str = "/") -> str:
    """Return the host path of the file that ``path`` names inside ``root``, every symlink followed.

    ``path`` is absolute or relative to ``cwd``, and both are meant inside ``root``. Symlinks in ``root``
    itself (the host's way to the root) are left as they are.

    Raises OSError as the kernel would: ENOENT (also for the empty path), ENOTDIR, ELOOP after 40 links,
    EACCES, ENAMETOOLONG.
    Source: path_resolution(7), symlink(7).
    """
    if not path:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    base = root.rstrip("/")
    todo = _names(path if path.startswith("/") else f"{cwd}/{path}")
    todo.reverse()  # a stack: the next name to walk is the last
    done: list[str] = []
    links = 0
    while todo:
        name = todo.pop()
        if name == "..":
            if done:
                done.pop()
            continue
        here = "/".join([base, *done, name])
        if name == ".":
            continue
        try:
            target = os.readlink(here)
        except OSError as error:
            if error.errno != errno.EINVAL:  # EINVAL is the good news: it is there and is no symlink
                raise OSError(error.errno, os.strerror(error.errno or 0), path) from None
            done.append(name)
            # "file/x" gets its ENOTDIR from the next readlink; "file/" and "file/.." must be asked for.
            if todo and todo[-1] in (".", "..") and not os.path.isdir(here):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
            continue
        links += 1
        if links > MAX_SYMLINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if target.startswith("/"):
            done = []
        todo.extend(reversed(_names(target)))
    return "/".join([base, *done]) if done else base or "/"


def _names(path: str) -> list[str]:
    """Return the names of a path in order; a trailing slash becomes ``.``, as it asks for a directory."""
    names = [name for name in path.split("/") if name and name != "."]
    if path.endswith(("/", "/.")):
        names.append(".")
    return names


def shebang(host_path: str) -> tuple[str, str | None] | None:
    """Read the ``#!`` line of a script as the kernel does: ``(interpreter, argument or None)``.

    Everything after the interpreter is one argument, blanks inside it included; a carriage return is an
    ordinary character and so becomes part of the name. None when the file is no script, a folder, or names no
    interpreter, or when this user may run but not read it. Raises OSError when it cannot be opened otherwise.
    Source: execve(2), fs/binfmt_script.c.
    """
    try:
        fd = os.open(host_path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        return None
    try:
        head = os.read(fd, _BINPRM_BUF_SIZE)
    except IsADirectoryError:  # execve itself says EACCES
        return None
    finally:
        os.close(fd)
    if not head.startswith(b"#!"):
        return None
    whole, newline, _ = head[2:].partition(b"\n")
    line = whole.partition(b"\0")[0].lstrip(b" \t")
    name, argument = _split_blank(line)
    if not name:
        return None
    if name == line and not newline and len(head) == _BINPRM_BUF_SIZE and b"\0" not in whole:
        return None  # the interpreter's name may have been cut off: the kernel refuses with ENOEXEC
    return os.fsdecode(name), os.fsdecode(argument) if argument else None


def _split_blank(line: bytes) -> tuple[bytes, bytes]:
    """Split at the first run of spaces and tabs."""
    for index, byte in enumerate(line):
        if byte in b" \t":
            return line[:index], line[index:].strip(b" \t")
    return line, b""
