"""A lesson's own mdock home: made in a temporary folder, and gone when the lesson ends, whatever ran in it.

Beside it, in the same folder, the file ``learner`` names the learner's own home: answers and scores belong there, also
those of a process that a lesson started and that knows the scratch home alone, by ``$MDOCK_HOME``.
"""

from __future__ import annotations

import fcntl
import glob
import os
import tempfile
import time
from contextlib import suppress

from udock_lab.errors import MdockError
from udock_lab.model import Container
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.removal import remove_tree

__all__ = ["PREFIX", "Scratch", "learner_home"]

PREFIX = "udock-lesson-"
YOUNG = 60  # seconds: an empty folder so new may be one whose maker is about to lock it
_HOME, _OWNER = "home", "learner"


def learner_home() -> str:
    """Return where the learner's progress is kept.

    ``$MDOCK_HOME`` or ``~/.mdock``, but never a lesson's scratch home.
    """
    path = Home().path
    while _is_scratch(path):
        path = Home(_owner(os.path.dirname(path)) or "~/.mdock").path
    return path


def _is_scratch(home: str) -> bool:
    folder, name = os.path.split(home)
    return name == _HOME and os.path.basename(folder).startswith(PREFIX)


def _owner(folder: str) -> str:
    try:
        with open(f"{folder}/{_OWNER}", "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""  # the lesson has ended, or it is somebody else's


class Scratch:
    """The folder, locked as long as this process lives (flock(2)): so others tell it from a leftover."""

    def __init__(self, slug: str, learner: str, *, spare: bool) -> None:
        place = _place(learner)
        _sweep(place)
        self.folder = tempfile.mkdtemp(prefix=f"{PREFIX}{slug}-", dir=place)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        with open(f"{self.folder}/{_OWNER}", "wb") as file:
            file.write(os.fsencode(learner))
        self.home = f"{self.folder}/{_HOME}"
        self.runtime = Runtime(self.home, spare=spare)
        self._maker = os.getpid()

    def stop_all(self) -> list[Container]:
        """Kill what runs in it; the containers that did."""
        return _stop_all(self.runtime)

    def remove(self) -> bool:
        """Stop everything and remove the folder. True when nothing of it is left. Safe to call again."""
        if self._lock < 0 or os.getpid() != self._maker:  # a forked copy of this process owns nothing
            return not os.path.lexists(self.folder)
        with suppress(MdockError):
            self.stop_all()
        with suppress(MdockError):
            remove_tree(self.folder)
        os.close(self._lock)
        self._lock = -1
        return not os.path.lexists(self.folder)


def _stop_all(runtime: Runtime) -> list[Container]:
    running = runtime.ps(running=True)
    for container in running:
        with suppress(MdockError):  # it may end by itself meanwhile
            runtime.kill(container.id)
    return running


def _place(learner: str) -> str:
    """Return the temporary folder; one in the learner's home where no program may be started from it (noexec)."""
    place = tempfile.gettempdir()
    if not os.statvfs(place).f_flag & os.ST_NOEXEC:
        return place
    own = Home(learner)
    own.create()
    return own.run_dir


def _sweep(place: str) -> None:
    """Remove what kernels left that were killed, a moment ago too: their folders are locked by nobody."""
    for folder in glob.glob(f"{glob.escape(place)}/{PREFIX}*"):
        with suppress(OSError, MdockError):
            if os.lstat(folder).st_uid != os.geteuid() or _may_be_in_the_making(folder):
                continue
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop_all(Runtime(f"{folder}/{_HOME}"))
                remove_tree(folder)
            finally:
                os.close(fd)


def _may_be_in_the_making(folder: str) -> bool:
    """Return whether its maker may still be at work: the maker locks a folder first, and only then fills it."""
    return time.time() - os.lstat(folder).st_ctime < YOUNG and not os.listdir(folder)
