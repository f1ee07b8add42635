"""Build ``binder/Dockerfile`` without Docker: ``build_image.py TREE [--context FOLDER] [--then COMMAND]``, as root.

``FROM debian:SUITE-slim`` is a tree made by mmdebstrap, kept in TREE between runs. mdock makes an image of it, and each
``RUN`` is an ``mdock run`` in that image: a chroot, whose containers share one root file system as layers of an image
do. COPY, ENV, ARG, USER and WORKDIR mean what https://docs.docker.com/reference/dockerfile/ says, as far as this file
needs them; any other instruction is an error. What is left out: layers, a cache, and all isolation but the chroot.
``--then`` runs a command in the finished image, as its user and with its environment.

It needs root, mmdebstrap and package registries. Nothing is left but TREE; the image has a home of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from elsewhere import debian_mirror  # noqa: E402

from udock_lab.linux.mounts import MS_BIND, MS_PRIVATE, MS_REC, mount  # noqa: E402
from udock_lab.linux.namespaces import CLONE_NEWNS, unshare  # noqa: E402

NAME = "image"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
NOT_COPIED = (".git", ".venv", "__pycache__", ".*_cache", ".ipynb_checkpoints", ".hypothesis")
UNABLE = 77


class Unable(Exception):
    """This machine cannot build it; the words say why."""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (instruction, its words) of a Dockerfile, continued lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", kept).splitlines():
        if line.strip():
            name, _, words = line.strip().partition(" ")
            yield name.upper(), words.strip()


@dataclass
class Build:
    """One build: what has been said so far. ``variables`` holds ARG and ENV, ``lasting`` ENV alone."""

    context: Path
    home: Path
    tree: Path
    variables: dict[str, str] = field(default_factory=dict)
    lasting: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    folder: str = "/"
    command: list[str] = field(default_factory=list)

    @property
    def rootfs(self) -> Path:
        """The image's root file system."""
        return self.home / "images" / NAME / "rootfs"

    def do(self, name: str, words: str) -> None:
        """Carry out one instruction; Unable for one that is not known here."""
        meant = string.Template(words).safe_substitute(self.variables)
        if name == "FROM":
            self.begin(words)
        elif name in ("ARG", "ENV"):
            key, _, value = meant.partition("=")
            self.variables[key] = value.strip('"')
            if name == "ENV":
                self.lasting[key] = self.variables[key]
        elif name == "USER":
            self.user = meant
        elif name == "WORKDIR":
            self.folder = meant
            (self.rootfs / meant.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            self.copy(*meant.split())
        elif name == "RUN":
            self.run(words)
        elif name == "CMD":
            self.command = json.loads(words)
        elif name != "EXPOSE":
            raise Unable(f"{name} is not known here")

    def begin(self, base: str) -> None:
        """Make the base image, and let this machine's registries be reached from it."""
        found = re.fullmatch(r"debian:(\w+)-slim", base)
        if not found:
            raise Unable(f"FROM {base}: only debian:SUITE-slim can be made here")
        made = self.tree / found[1]
        if not made.is_dir():
            make_tree(found[1], made)
        mdock(self.home, "build", "--force", NAME, str(made))
        for name in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(name, self.rootfs / name.lstrip("/"))
        for name in (AUTHORITIES, "/etc/pip.conf"):
            if Path(name).is_file():
                (self.rootfs / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, self.rootfs / name.lstrip("/"))
        for name in ("proc", "dev"):  # a chroot has none; Docker's containers do
            mount(f"/{name}", str(self.rootfs / name), None, MS_BIND | MS_REC)

    def copy(self, source: str, target: str) -> None:
        """Copy from the context, as root."""
        place = self.rootfs / target.lstrip("/")
        if (self.context / source).is_dir():
            left_out = shutil.ignore_patterns(*NOT_COPIED)
            shutil.copytree(self.context / source, place, symlinks=True, dirs_exist_ok=True, ignore=left_out)
        else:
            shutil.copy(self.context / source, place)

    def run(self, script: str, *, given: bool = True) -> None:
        """Run a shell command in the image; Unable with its exit code. ``given``: the ARGs are there, too."""
        environment = self.variables if given else self.lasting
        out = {key: os.environ[key] for key in os.environ if key.lower() in ("http_proxy", "https_proxy", "no_proxy")}
        out |= {key: AUTHORITIES for key in ("SSL_CERT_FILE", "PIP_CERT", "GIT_SSL_CAINFO") if key in os.environ}
        words = ["run", "--rm", "-w", self.folder]
        for key, value in (out | {"HOME": "/root"} | environment).items():
            words += ["-e", f"{key}={value}"]
        as_user = (
            [] if self.user == "root" else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"]
        )
        mdock(self.home, *words, NAME, "--", *as_user, "/bin/sh", "-c", script)


def make_tree(suite: str, place: Path) -> None:
    """Make Debian's files; they are whole, or not there."""
    program = shutil.which("mmdebstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Unable("mmdebstrap is missing: apt-get install mmdebstrap")
    unfinished = place.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    words = [program, "--quiet", "--mode=root", "--variant=minbase", "--include=ca-certificates"]
    words += ["--aptopt=Acquire::Check-Valid-Until false", suite, str(unfinished)]
    done = subprocess.run([*words, f"deb {debian_mirror()} {suite} main"])
    if done.returncode:
        raise Unable(f"mmdebstrap ended with {done.returncode}")
    unfinished.rename(place)


def mdock(home: Path, *words: str) -> None:
    """Run mdock; Unable with its exit code."""
    command = [sys.executable, "-m", "udock_lab", *words]
    done = subprocess.run(command, env=os.environ | {"MDOCK_HOME": str(home)}, cwd=ROOT, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Unable(f"mdock {shlex.join(words[:1])} ended with {done.returncode}: {words[-1][:200]}")


def main() -> int:
    """Build, then run what is asked for; 77 where this machine cannot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tree", type=Path, help="where Debian's files are kept")
    parser.add_argument("--context", type=Path, default=ROOT, help="what COPY copies from (default: the clone)")
    parser.add_argument("--then", action="append", default=[], metavar="COMMAND", help="run it in the finished image")
    args = parser.parse_args()
    if os.geteuid() != 0:
        print("build_image: it needs root, for a chroot with users of its own.", file=sys.stderr)
        return UNABLE
    unshare(CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    args.tree.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-image-", ignore_cleanup_errors=True) as place:
        build = Build(args.context.resolve(), Path(place, "home"), args.tree.resolve())
        try:
            for name, words in instructions((args.context / "binder/Dockerfile").read_text()):
                print(f"{name} {words}", flush=True)
                build.do(name, words)
            for command in args.then:
                print(f"THEN {command}", flush=True)
                build.run(command, given=False)
        except Unable as error:
            print(f"build_image: {error}", file=sys.stderr)
            return 1
        finally:
            unmount(build.rootfs)
    return 0


def unmount(rootfs: Path) -> None:
    """Take away what was mounted, before its place is removed."""
    for name in ("proc", "dev"):
        subprocess.run(["umount", "--recursive", "--lazy", str(rootfs / name)], capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
