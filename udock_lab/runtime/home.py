"""The paths under ``$MDOCK_HOME``. Nothing here reads or writes a record."""

from __future__ import annotations

import errno
import os
import pwd

from udock_lab.errors import StorageError

__all__ = ["Home", "default_home", "storage_error"]


def default_home() -> str:
    """``$MDOCK_HOME``, or ``~/.mdock``."""
    return os.environ.get("MDOCK_HOME") or os.path.expanduser("~/.mdock")


class Home:
    """Where one mdock keeps everything. Paths are absolute strings."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = os.path.abspath(os.path.expanduser(os.fspath(path or default_home())))
        self.images_db = f"{self.path}/images.db"
        self.containers_db = f"{self.path}/containers.db"
        self.log = f"{self.path}/log.txt"
        self.logs_dir = f"{self.path}/logs"
        self.images_dir = f"{self.path}/images"
        self.containers_dir = f"{self.path}/containers"
        self.run_dir = f"{self.path}/run"
        self.lock = f"{self.run_dir}/lock"
        self.highest_id = f"{self.run_dir}/highest_id"

    def __fspath__(self) -> str:
        return self.path

    def image_rootfs(self, name: str) -> str:
        """Root file system of the image ``name``."""
        return f"{self.images_dir}/{name}/rootfs"

    def container_dir(self, container_id: str) -> str:
        """Our own extras for one container: identity, spec, steps."""
        return f"{self.containers_dir}/{container_id}"

    def container_log(self, container_id: str) -> str:
        """What the container wrote to standard output and standard error."""
        return f"{self.logs_dir}/{container_id}.log"

    def create(self) -> None:
        """Make the folders that are missing; raises StorageError with a hint where that is refused."""
        try:
            for folder in (self.path, self.logs_dir, self.images_dir, self.containers_dir, self.run_dir):
                os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.path) from error


def storage_error(error: OSError, home: str) -> StorageError:
    """Say in words why the home could not be used, and what to do about it."""
    path = error.filename or home
    if error.errno in (errno.EACCES, errno.EPERM):
        owner = _owner(home)
        if owner and owner[0] != os.geteuid():
            return StorageError(
                f"The mdock home {home} belongs to {owner[1]}, and you are {_user_name(os.geteuid())}.",
                "Was it made with sudo? Use a home of your own: export MDOCK_HOME=$HOME/.mdock-mine "
                f"(or give this one back: sudo chown -R $(id -u) {home})",
            )
        return StorageError(f"{path} cannot be written: permission denied.", f"Check: ls -ld {path}")
    if error.errno == errno.EROFS:
        return StorageError(
            f"{path} is on a read-only file system.", "Choose a writable home: export MDOCK_HOME=/some/folder"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"No space is left for {path}; nothing was lost.",
            f"Make room (mdock prune, mdock rmi NAME; df -h {home}) and try again.",
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StorageError(f"{path} is not a folder.", "Choose another home: export MDOCK_HOME=/some/folder")
    return StorageError(f"{path}: {error.strerror}.", f"Check: ls -ld {path}")


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
