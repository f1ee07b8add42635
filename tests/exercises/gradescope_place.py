"""A container as Gradescope starts one, without Docker: ``gradescope_place.py PLACE COMMAND...``, as root.

PLACE holds ``autograder/`` and ``opt/``; ``opt/packages`` shows what this Python has installed.
Or PLACE is a whole root file system. The command sees a root of its own (pivot_root) with the system's programs
read-only, processes, host name and System V objects of its own, Docker's 14 capabilities, and is refused user
namespaces: rung D. Nothing of it outlives the command.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "privileged")]

from rungs import refuse  # noqa: E402

from udock_lab.linux import capabilities as cap  # noqa: E402
from udock_lab.linux import prctl, seccomp, seccomp_filters  # noqa: E402, F401  (refuse() finds no file any more)
from udock_lab.linux.mounts import (  # noqa: E402
    MNT_DETACH,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_PRIVATE,
    MS_REC,
    mount,
    mount_setattr,
    pivot_root,
    umount2,
)
from udock_lab.linux.namespaces import CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, unshare  # noqa: E402

SHOWN = ("/usr", "/etc", "/var/lib/dpkg", sys.base_prefix)
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DOCKERS = (  # docs.docker.com/engine/security: what a container's root may do; 29 is CAP_AUDIT_WRITE, 31 CAP_SETFCAP
    cap.CAP_CHOWN, cap.CAP_DAC_OVERRIDE, cap.CAP_FSETID, cap.CAP_FOWNER, cap.CAP_MKNOD, cap.CAP_NET_RAW,
    cap.CAP_SETGID, cap.CAP_SETUID, cap.CAP_SETPCAP, cap.CAP_NET_BIND_SERVICE, cap.CAP_SYS_CHROOT,
    cap.CAP_KILL, 29, 31,
)  # fmt: skip


def main(place: Path, refused: str, command: list[str]) -> None:
    """Shut a child in and hand its exit code on; with it every process of the place ends."""
    unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
    try:
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        enter(place, place if (place / "usr").is_dir() else made(place))
        cap.bound_capabilities(DOCKERS)
        cap.set_capabilities(DOCKERS)
        refuse(refused.split(","))
        os.execve(command[0], command, {"PATH": os.defpath, "HOME": "/root", "UDOCK_TOKEN": "4711"})
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(125)


def made(place: Path) -> Path:
    """Return a root of the system's folders, read-only, and what PLACE brings."""
    root = place / "root"
    root.mkdir(exist_ok=True)
    mount("tmpfs", str(root), "tmpfs", 0, "mode=755")
    for name in ("proc", "dev", "tmp", "root"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
        elif Path("/", name).is_dir():
            show(f"/{name}", root / name)
    for name in ("opt", "autograder"):
        show(str(place / name), root / name)
    packages = next(name for name in sys.path if name.endswith("site-packages"))
    for folder, where in (*((name, name) for name in SHOWN), (packages, "/opt/packages")):
        show(folder, root / where.lstrip("/"))
        mount_setattr(str(root / where.lstrip("/")), MOUNT_ATTR_RDONLY)
    return root


def enter(place: Path, root: Path) -> None:
    """Change into that root, with devices and processes of its own."""
    if root == place:
        mount(str(root), str(root), None, MS_BIND)
    (root / ".old").mkdir(exist_ok=True)
    mount("tmpfs", str(root / "dev"), "tmpfs", 0, "mode=755")
    for name in DEVICES:
        (root / "dev" / name).touch()
        mount(f"/dev/{name}", str(root / "dev" / name), None, MS_BIND)
    mount("proc", str(root / "proc"), "proc")
    os.chdir(root)
    pivot_root(".", ".old")
    os.chdir("/")
    umount2("/.old", MNT_DETACH)
    os.chdir("/autograder")


def show(folder: str, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    mount(folder, str(where), None, MS_BIND)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
