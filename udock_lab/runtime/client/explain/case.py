"""One failed exec, as it is looked at: what was typed, what was tried, what is there."""

from __future__ import annotations

from shlex import quote
from typing import NamedTuple

from udock_lab.runtime.state.rootsource import RootSource

__all__ = ["ROOTFS_HINT", "WITHOUT_RETURNS", "Case", "Typed", "Words"]

Words = tuple[str, str]  # message, hint
WITHOUT_RETURNS = "-i 's/\\r$//'"
ROOTFS_HINT = "mdock rootfs DIR PROGRAM copies a program together with its loader and libraries."


class Typed(NamedTuple):
    """What the command line named: an image for ``run``, and a container too for ``exec``."""

    image: str
    container: str
    confined: bool

    @property
    def command(self) -> str:
        """What to begin the next command with."""
        return f"mdock exec {self.container}" if self.container else f"mdock run {self.image}"

    def with_option(self, option: str) -> str:
        """Say where an option of mdock stands, and what it must stand before."""
        if self.container:
            return f"before the container's id: mdock exec {option} ... {self.container}"
        return f"before the image's name: mdock run {option} ... {self.image}"


class Case:
    """One failed exec. ``inside`` is the path that existed (or the first tried), ``host`` its file, if any."""

    def __init__(self, root: RootSource, candidates: list[str], cwd: str, argv0: str, typed: Typed) -> None:
        self.root, self.candidates, self.cwd, self.argv0 = root, candidates, cwd, argv0
        self.typed = typed
        self.inside = candidates[0]
        self.host: str | None = None
        for path in candidates:
            host = self.lookup(path)
            if host:
                self.inside, self.host = path, host
                break

    def lookup(self, path: str) -> str | None:
        try:
            return self.root.look(path, self.cwd)
        except OSError:
            return None

    def absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.cwd.rstrip('/')}/{path}"

    def look(self, folder: str) -> str:
        """Return a command that shows a folder: the image's own ls, or one from outside where it has none."""
        if not any(map(self.lookup, ("/bin/ls", "/usr/bin/ls"))):
            return f"See what is there: ls -la {quote(self.lookup(folder) or self.root.path)}"
        return f"See what is there: {self.typed.command} ls {quote(folder)}"

    def mend(self, program: str, argument: str, inside: str) -> str:
        """Return what to do to the file: in the running container, or in the folder that the image is built from."""
        host = self.lookup(inside)
        if self.typed.container and host and not self.typed.confined:  # there, a program's paths are the host's
            return f"Mend it here: {program} {argument} {quote(host)}"
        if self.typed.container and any(map(self.lookup, (f"/bin/{program}", f"/usr/bin/{program}"))):
            return f"Mend it in there: {self.typed.command} {program} {argument} {quote(self.absolute(inside))}"
        path = quote(self.absolute(inside).lstrip("/"))
        build = f"mdock build --force {self.typed.image} ."
        return f"In the directory you build from: {program} {argument} {path}   then: {build}"
