"""The paths under ``$MDOCK_HOME``. Nothing here reads or writes a record."""

from __future__ import annotations

import errno
import os
import pwd
from contextlib import suppress

from udock_lab.errors import StorageError, UsageError
from udock_lab.linux.mountpoints import mount_point
from udock_lab.linux.ownership import adopt
from udock_lab.runtime.state.shortage import shortage
from udock_lab.text.shellwords import quote

__all__ = ["DISK_FULL", "Home", "default_home", "make_room", "storage_error"]

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_ANOTHER = "Choose another home: export MDOCK_HOME=/some/folder"
_LONGEST = 4096 - 200  # PATH_MAX, less the names that mdock appends to its home


def default_home() -> str:
    """Return ``$MDOCK_HOME``, or ``~/.mdock``."""
    return os.environ.get("MDOCK_HOME") or os.path.expanduser("~/.mdock")


class Home:
    """Where one mdock keeps everything. Paths are absolute strings."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = _absolute(_text(path) or default_home())
        self.images_db = f"{self.path}/images.db"
        self.containers_db = f"{self.path}/containers.db"
        self.log = f"{self.path}/log.txt"
        self.logs_dir = f"{self.path}/logs"
        self.images_dir = f"{self.path}/images"
        self.containers_dir = f"{self.path}/containers"
        self.run_dir = f"{self.path}/run"
        self.lock = f"{self.run_dir}/lock"
        self.config = f"{self.run_dir}/config"
        self.highest_id = f"{self.run_dir}/highest_id"
        self.known_table = f"{self.run_dir}/known_table"

    def __fspath__(self) -> str:
        return self.path

    def image_rootfs(self, name: str) -> str:
        """Return the root file system of the image ``name``."""
        return f"{self.images_dir}/{name}/rootfs"

    def container_dir(self, container_id: str) -> str:
        """Return the folder of our own extras for one container: identity, spec, steps."""
        return f"{self.containers_dir}/{container_id}"

    def container_log(self, container_id: str) -> str:
        """Return the path of what the container wrote to standard output and standard error."""
        return f"{self.logs_dir}/{container_id}.log"

    def create(self) -> None:
        """Make the folders that are missing; raises StorageError with a hint where that is refused.

        UsageError for a path that the tables cannot hold.
        """
        if "|" in self.path or "\n" in self.path:
            raise UsageError(
                f"The home {self.path!r} cannot stand in images.db, where '|' and newline separate fields.", _ANOTHER
            )
        try:
            if len(os.fsencode(self.path)) > _LONGEST:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), self.path)
            for folder in (self.path, self.logs_dir, self.images_dir, self.containers_dir, self.run_dir):
                _make_folder(folder)
        except OSError as error:
            raise storage_error(error, self.path) from error


def _text(path: str | os.PathLike[str] | None) -> str | None:
    """Return the path as text; raise UsageError for what is no path."""
    if path is None or type(path) is str:
        return path
    from udock_lab.text import arguments

    return arguments.path("home", path)


def _make_folder(path: str) -> None:
    """Make a folder with what is missing above it; each belongs to the owner of the folder around it."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        if os.path.isdir(os.path.dirname(path)):  # as in /proc, where nobody can make one
            raise
        _make_folder(os.path.dirname(path))
        _make_folder(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    else:
        adopt(path)


def _absolute(path: str) -> str:
    """Return the path in full; raise UsageError where there is no way to tell it."""
    if "\0" in path:
        raise UsageError(f"A path cannot hold a NUL character, and {path!r} does.", _ANOTHER)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise UsageError(f"{path!r} holds half of a character, which no path can.", _ANOTHER) from None
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise UsageError(f"It is not known which folder {path} is: this user has no home folder.", _ANOTHER)
    try:
        return os.path.abspath(expanded)
    except FileNotFoundError:
        raise UsageError(
            f"The mdock home {path} is meant from the current folder, which was removed.", "Go elsewhere first: cd"
        ) from None


def storage_error(error: OSError, home: str) -> StorageError:
    """Say in words why the home could not be used, and what to do about it."""
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else home
    shown, number = _shown(path), error.errno
    if number in (errno.EACCES, errno.EPERM):
        return _forbidden(path, home)
    short = shortage(number)
    if short is not None:
        return StorageError(*short)
    if number == errno.EROFS:
        return StorageError(
            f"{shown} is on a read-only file system.", "Choose a writable home: export MDOCK_HOME=/some/folder"
        )
    if number in DISK_FULL:
        return StorageError(
            f"No space is left for {shown}; nothing was lost.",
            make_room(home),
        )
    if number == errno.ENAMETOOLONG:
        return StorageError(
            f"The path {shown} is too long for mdock's home: a name may have 255 bytes, the home's path {_LONGEST}.",
            _ANOTHER,
        )
    if number in (errno.ENOTDIR, errno.EEXIST, errno.ELOOP):
        return _no_folder(path)
    if number in (errno.EISDIR, errno.ENXIO, errno.ESPIPE):
        return StorageError(
            f"{shown} is a folder, a pipe or a device; mdock keeps an ordinary file there.",
            f"Move it away: mv {quote(path)} {quote(path + '.old')}",
        )
    if number == errno.ENOENT and os.path.islink(path):
        return _no_folder(path)
    return StorageError(f"{shown}: {error.strerror}.", f"Check: ls -ld {quote(shown)}")


def make_room(path: str) -> str:
    """Return what to do on a full disk; ``path``, which may be gone by now, is on it."""
    place = path
    with suppress(OSError):
        place = mount_point(path)
    return f"Make room (mdock prune, mdock rmi NAME; df -h {quote(_shown(place))}) and try again."


def _forbidden(path: str, home: str) -> StorageError:
    """Return the error for a path that is forbidden, with whose it is.

    Most often the home is another's (``sudo mdock``); in a home of one's own, a single path may be.
    """
    shown, me = _shown(path), os.geteuid()
    for place in (home, path):
        owner = _owner(place)
        if owner and owner[0] != me:
            what = f"The mdock home {_shown(home)}" if place == home else _shown(path)
            return StorageError(
                f"{what} belongs to {owner[1]}, and you are {_user_name(me)}.",
                "Was it made with sudo? Use a home of your own: export MDOCK_HOME=$HOME/.mdock-mine "
                f"(or give this one back: sudo chown -R $(id -u) {quote(_shown(home))})",
            )
    there = path if os.path.lexists(path) else os.path.dirname(path)  # what cannot be made is forbidden by its folder
    return StorageError(f"{shown} is closed to you: permission denied.", f"Check: ls -ld {quote(_shown(there))}")


def _no_folder(path: str) -> StorageError:
    """Return the error for something that stands where a folder should be.

    It is named, or the first part of the path that is no folder.
    """
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    if os.path.islink(path) and not os.path.exists(path):
        target = os.readlink(path)
        return StorageError(
            f"{_shown(path)} is a symbolic link to {_shown(target)}, which leads nowhere.",
            f"Make what it names (a folder first), or choose another home: export MDOCK_HOME=/some/folder   "
            f"Check: ls -ld {quote(_shown(path))}",
        )
    return StorageError(f"{_shown(path)} is not a folder.", _ANOTHER)


def _shown(path: str) -> str:
    """Return the text, short enough for a message."""
    return path if len(path) <= 300 else f"{path[:150]}...{path[-50:]}"


def _owner(path: str) -> tuple[int, str] | None:
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    try:
        uid = os.stat(path).st_uid
    except OSError:
        return None
    return uid, _user_name(uid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
