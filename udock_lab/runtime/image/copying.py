"""Copy whole trees of files, faithfully.

The walk has directory file descriptors (openat(2) and its family), hold two of them at a time and climb
back through ``..``: neither a tree deeper than PATH_MAX, nor one deeper than Python's recursion limit, nor
one deeper than RLIMIT_NOFILE stops them, and a symlink is never followed.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from udock_lab.errors import Conflict, NotFound, StorageError, UsageError
from udock_lab.model.value import Value
from udock_lab.runtime.image.contents import copy_contents
from udock_lab.runtime.image.losses import Losses
from udock_lab.runtime.image.metadata import keep_metadata, own
from udock_lab.runtime.image.mounted import Mounted
from udock_lab.runtime.state.home import DISK_FULL, make_room
from udock_lab.runtime.state.removal import remove_tree, while_there
from udock_lab.runtime.state.shortage import shortage

__all__ = ["CopyStats", "Progress", "absolute", "copy_tree"]

Progress = Callable[[int, int], None]  # (files so far, bytes so far)

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PAUSE = 0.1  # seconds between two calls of progress
_NULL = os.makedev(1, 3)  # null(4)


class CopyStats(Value):
    """What a copy did. ``bytes`` counts the data of regular files, holes included, hard links once.

    ``files`` are regular files, further names of one file not included: those are ``hard_links``.
    ``notes`` are sentences about what could not be kept.
    """

    files: int = 0
    directories: int = 0
    symlinks: int = 0
    hard_links: int = 0
    special: int = 0
    bytes: int = 0
    notes: tuple[str, ...] = ()


def copy_tree(src: str | os.PathLike[str], dst: str | os.PathLike[str], progress: Progress | None = None) -> CopyStats:
    """Copy the directory ``src`` to the new directory ``dst``, faithfully.

    Kept: data with its holes, symlinks as they are, hard links, modes, times in nanoseconds, and, where
    this user may, owners, extended attributes, device nodes and FIFOs. Sockets are skipped. What is mounted inside
    is copied like the rest, but for the kernel's own views (proc, sysfs, ...), a FUSE that refuses, and the tree itself
    once more: those become empty folders.

    Raises NotFound, UsageError (``src`` is no directory, or ``dst`` lies inside it), Conflict (``dst``
    exists), StorageError (something cannot be read or written). After an error nothing is left of ``dst``.
    """
    source, target = absolute(src), absolute(dst)
    _check_ends(source, target)
    copier = _Copier(source, target, progress)
    try:
        os.mkdir(target, 0o700)
    except FileExistsError:
        raise Conflict(f"{target} exists already.", "Choose a new folder.") from None
    except OSError as error:
        raise StorageError(f"{target} cannot be made: {error.strerror}.") from error
    try:
        copier.run()
    except BaseException:
        with suppress(OSError, StorageError, Conflict):  # the first error is the one to tell
            remove_tree(target)
        raise
    return copier.stats()


def absolute(path: str | os.PathLike[str]) -> str:
    """Return the path in full; raise UsageError for an empty one, and where the current folder was removed."""
    if not os.fspath(path):
        raise UsageError("The name of the folder is empty.", "The folder you are in is called: .")
    try:
        return os.path.abspath(os.fspath(path))
    except FileNotFoundError:
        raise UsageError(
            f"{os.fspath(path)} is meant from the current folder, which was removed.", "Go elsewhere first: cd"
        ) from None


def _check_ends(source: str, target: str) -> None:
    try:
        if not stat.S_ISDIR(os.stat(source).st_mode):
            raise UsageError(f"{source} is not a directory.", "Name the directory that holds bin, etc, usr, ...")
    except FileNotFoundError:
        raise NotFound(
            f"There is no directory {source}.", f"Make one with: mdock rootfs {shlex.quote(source)}"
        ) from None
    except OSError as error:
        raise StorageError(f"{source} cannot be read: {error.strerror}.") from error
    inner = os.path.join(os.path.realpath(os.path.dirname(target)), os.path.basename(target))
    outer = os.path.realpath(source)
    if inner == outer or inner.startswith(outer.rstrip("/") + "/"):
        raise UsageError(
            f"{source} would be copied into itself: {target} is inside it.",
            "Name a directory that does not hold mdock's home, or move the home: export MDOCK_HOME=/some/folder",
        )


class _Frame:
    """One directory on the way down: its name, its status, and the subdirectories still to do."""

    __slots__ = ("info", "name", "todo")

    def __init__(self, name: str, info: os.stat_result) -> None:
        self.name = name
        self.info = info
        self.todo: list[tuple[str, os.stat_result]] = []


class _Copier:
    """The state of one copy. ``here`` and ``there`` are the current directories of source and target."""

    def __init__(self, source: str, target: str, progress: Progress | None) -> None:
        self.source, self.target = source, target
        self.progress = progress
        self.next_word = time.monotonic() + _PAUSE
        self.files = self.directories = self.symlinks = self.hard_links = self.special = self.bytes = 0
        self.losses = Losses()
        self.mounted = Mounted()
        self.first_names: dict[tuple[int, int], str] = {}
        self.above: set[tuple[int, int]] = set()  # the directories that we are in
        self.frames: list[_Frame] = []
        self.here = self.there = self.top = -1
        self.outer: tuple[int, ...] = ()
        self.target_id = (0, 0)
        self.at = ""

    def run(self) -> None:
        """Copy everything; a failing call is told with the path it was about."""
        try:
            self._open_top()
            self._read_directory()
            while self.frames:
                frame = self.frames[-1]
                if frame.todo:
                    self._descend(*frame.todo.pop())
                else:
                    self._ascend()
        except OSError as error:
            raise self._explain(error) from error
        finally:
            _close({self.here, self.there, self.top, *self.outer})
        if self.progress:
            self.progress(self.files, self.bytes)

    def stats(self) -> CopyStats:
        """Return the totals, with one note for each kind of thing that was lost."""
        return CopyStats(
            files=self.files,
            directories=self.directories,
            symlinks=self.symlinks,
            hard_links=self.hard_links,
            special=self.special,
            bytes=self.bytes,
            notes=self.losses.sentences(),
        )

    # -- walking -----------------------------------------------------------------------------------

    def _open_top(self) -> None:
        self.here = os.open(self.source, _DIRECTORY & ~os.O_NOFOLLOW)
        self.there = os.open(self.target, _DIRECTORY)
        self.top = os.dup(self.there)
        target = os.fstat(self.there)
        self.target_id = (target.st_dev, target.st_ino)
        info = os.fstat(self.here)
        kind = self.mounted.view_of_the_kernel(".", info, self.here)
        if kind is not None:
            raise UsageError(
                f"{self.source} is a view of the kernel ({kind}), which holds no files to copy.",
                "Name the directory that holds bin, etc, usr, ...",
            )
        self._enter(_Frame("", info))

    def _enter(self, frame: _Frame) -> None:
        self.frames.append(frame)
        self.above.add((frame.info.st_dev, frame.info.st_ino))

    def _read_directory(self) -> None:
        """Copy all that is no directory, and note the directories for later."""
        frame = self.frames[-1]
        with os.scandir(self.here) as entries:
            for entry in while_there(entries):
                self.at = entry.name
                try:
                    self._take(entry, frame)
                except FileNotFoundError as error:
                    self._do_without(entry.name, error)
        self.at = ""

    def _take(self, entry: os.DirEntry[str], frame: _Frame) -> None:
        try:
            info = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            raise
        except OSError as error:
            if not self.mounted.refuses(entry.name, self.here, error):
                raise
            self._leave_out(entry.name, f"lies on a file system that refuses ({error.strerror})", entry.is_dir())
            return
        if self._is_kernels_own(entry.name, info):
            return
        if stat.S_ISDIR(info.st_mode):
            frame.todo.append((entry.name, info))
        else:
            self._copy_entry(entry.name, info)

    def _do_without(self, name: str, error: FileNotFoundError) -> None:
        """Go on without an entry that was removed.

        Others may work in a tree while it is copied, as containers do in their image.
        """
        try:
            os.stat(name, dir_fd=self.here, follow_symlinks=False)
        except FileNotFoundError:
            self.losses.note(f"{self._path(name)} was removed while the tree was copied, and is left out.")
        else:
            raise error

    def _is_kernels_own(self, name: str, info: os.stat_result) -> bool:
        """Return whether it is no file at all, but the kernel's word; it is left out then."""
        kind = self.mounted.view_of_the_kernel(name, info, self.here)
        if kind is not None:
            self._leave_out(name, f"is a view of the kernel ({kind}) that is mounted there", stat.S_ISDIR(info.st_mode))
        return kind is not None

    def _leave_out(self, name: str, why: str, folder: bool) -> None:
        """Say so, and put an empty folder in the place of a folder."""
        self.losses.note(f"{self._path(name)} {why}, and was left out{': the folder is empty' if folder else ''}.")
        if folder:
            os.mkdir(name, 0o755, dir_fd=self.there)
            os.chmod(name, 0o755, dir_fd=self.there)  # whatever the umask is
            self.directories += 1

    def _descend(self, name: str, info: os.stat_result) -> None:
        """Enter a directory and copy its files. The way back is closed only if there is a deeper one to go.

        A directory with subdirectories that could be looked at is searchable, and ``..`` leads out of it again;
        an empty one need not be.
        """
        self.at = name
        if (info.st_dev, info.st_ino) == self.target_id:  # reached by way of a bind mount
            self.losses.note(f"{self._path(name)} is the copy itself and was skipped.")
            return
        try:
            inner = os.open(name, _DIRECTORY, dir_fd=self.here)
        except FileNotFoundError as error:
            self._do_without(name, error)
            return
        except OSError as error:
            if info.st_dev == self.frames[-1].info.st_dev or not self.mounted.refuses(name, self.here, error):
                raise
            self._leave_out(name, f"is a file system that refuses ({error.strerror})", folder=True)
            return
        if (info.st_dev, info.st_ino) in self.above and self.mounted.differ(inner, self.here):
            os.close(inner)
            self._leave_out(name, "is a folder above it, mounted into itself", folder=True)
            return
        self.outer = (self.here, self.there)
        self.here = inner
        os.mkdir(name, 0o700, dir_fd=self.outer[1])
        self.there = os.open(name, _DIRECTORY, dir_fd=self.outer[1])
        self._enter(_Frame(name, info))
        self._read_directory()
        if self.frames[-1].todo:
            _close(self.outer)
        else:
            self._leave(*self.outer)
        self.outer = ()

    def _ascend(self) -> None:
        """Leave a directory whose subdirectories are all done."""
        if len(self.frames) == 1:
            self._leave(-1, -1)
        else:
            parent = _open_parent(self.here, self.frames[-2].info)
            self.outer = (parent, _open_parent(self.there, None))
            self._leave(*self.outer)
            self.outer = ()

    def _leave(self, here: int, there: int) -> None:
        """Finish a directory: its times last, because every entry made in it has changed them."""
        frame = self.frames.pop()
        self.above.discard((frame.info.st_dev, frame.info.st_ino))
        keep_metadata(self.here, self.there, frame.info, self.losses)
        self.directories += 1
        _close((self.here, self.there))
        self.here, self.there = here, there

    def _path(self, name: str) -> str:
        """Return the entry's path from the source's top, with a slash in front, as the container will see it."""
        return "/" + "/".join([frame.name for frame in self.frames[1:]] + [name])

    # -- one entry ---------------------------------------------------------------------------------

    def _copy_entry(self, name: str, info: os.stat_result) -> None:
        mode = info.st_mode
        if info.st_nlink > 1 and self._link(name, info):
            return
        if stat.S_ISREG(mode):
            self._copy_file(name, info)
        elif stat.S_ISLNK(mode):
            os.symlink(os.readlink(name, dir_fd=self.here), name, dir_fd=self.there)
            own(name, info, self.losses, self.there)
            os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns), dir_fd=self.there, follow_symlinks=False)
            self.symlinks += 1
        else:
            self._copy_special(name, info)
        if self.progress and time.monotonic() > self.next_word:
            self._tell(0)

    def _link(self, name: str, info: os.stat_result) -> bool:
        """Make ``name`` a further name of a file that is copied already; False when it is the first."""
        key = (info.st_dev, info.st_ino)
        first = self.first_names.get(key)
        if first is None:
            self.first_names[key] = self._path(name)[1:]
            return False
        try:
            os.link(first, name, src_dir_fd=self.top, dst_dir_fd=self.there, follow_symlinks=False)
        except OSError as error:
            # Too many names, too long a path, or the first was skipped: this becomes a file of its own.
            if error.errno not in (errno.EMLINK, errno.ENAMETOOLONG, errno.ENOENT, errno.EPERM):
                raise
            return False
        self.hard_links += 1
        return True

    def _copy_file(self, name: str, info: os.stat_result) -> None:
        source = os.open(name, _READ, dir_fd=self.here)
        try:
            target = os.open(name, _CREATE, 0o600, dir_fd=self.there)
            try:
                size = copy_contents(source, target, info, self._tell)
                if not keep_metadata(source, target, info, self.losses):
                    self.losses.setuid.append(self._path(name))
            finally:
                os.close(target)
        finally:
            os.close(source)
        self.files += 1
        self.bytes += size

    def _copy_special(self, name: str, info: os.stat_result) -> None:
        if stat.S_ISSOCK(info.st_mode):
            self.losses.note(f"{self._path(name)} is a socket and was skipped.")
            return
        is_device = not stat.S_ISFIFO(info.st_mode)
        if is_device and os.fstatvfs(self.there).f_flag & os.ST_NODEV:
            self._do_without_device(name, info, "this file system is mounted with nodev")
            return
        try:
            os.mknod(name, stat.S_IFMT(info.st_mode) | 0o600, info.st_rdev, dir_fd=self.there)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOSYS):
                raise
            if is_device:
                self._do_without_device(name, info, f"mknod needs root: {error.strerror}")
            else:
                self.losses.note(f"{self._path(name)} is a FIFO and could not be made here: {error.strerror}.")
            return
        own(name, info, self.losses, self.there)
        os.chmod(name, stat.S_IMODE(info.st_mode), dir_fd=self.there)
        os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns), dir_fd=self.there)
        self.special += 1

    def _do_without_device(self, name: str, info: os.stat_result, why: str) -> None:
        """Leave it out; but an empty file for /dev/null, whose end-of-file a shell needs for each ``&`` (sh(1))."""
        path = self._path(name)
        self.losses.devices.setdefault(why, []).append(path)
        if info.st_rdev == _NULL:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o666, dir_fd=self.there))
            os.chmod(name, 0o666, dir_fd=self.there)
            self.losses.note(f"{path} is an ordinary file here: empty at first, and what is written to it stays there.")

    # -- words -------------------------------------------------------------------------------------

    def _tell(self, unfinished: int) -> None:
        if self.progress and time.monotonic() > self.next_word:
            self.progress(self.files, self.bytes + unfinished)
            self.next_word = time.monotonic() + _PAUSE

    def _explain(self, error: OSError) -> StorageError:
        path = self.source.rstrip("/") + self._path(self.at).rstrip("/")
        if error.errno in (errno.EACCES, errno.EPERM):
            return StorageError(
                f"{path} cannot be copied: {error.strerror}. Nothing is kept of the copy.",
                f"Build as a user who may read it (sudo), or look at: ls -ld {path}",
            )
        if error.errno in DISK_FULL:
            return StorageError(
                f"No space is left to copy {path}. Nothing is kept of the copy.",
                make_room(self.target),
            )
        why, hint = shortage(error.errno) or (f"{error.strerror}.", "")
        return StorageError(f"{path} cannot be copied: {why} Nothing is kept of the copy.", hint)


def _open_parent(fd: int, expected: os.stat_result | None) -> int:
    """Open the parent of the directory ``fd``; ESTALE if somebody moved it meanwhile."""
    parent = os.open("..", _DIRECTORY, dir_fd=fd)
    if expected is not None:
        info = os.fstat(parent)
        if (info.st_dev, info.st_ino) != (expected.st_dev, expected.st_ino):
            os.close(parent)
            raise OSError(errno.ESTALE, "it was moved while it was copied")
    return parent


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)
