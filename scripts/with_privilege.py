"""Run a command with less privilege than we have.

Use: ``with_privilege.py root|user|refused COMMAND...``.

``root``     as root; ends with 77 where we are not.
``user``     as an ordinary user: we ourselves, or ``nobody`` where we are root. chroot is refused.
``refused``  the same, and user namespaces are refused too (a seccomp filter), as on a hardened hub.

Where this Python or this checkout is in a folder that is closed to others (a home of mode 0700), it is opened in
a private mount namespace that ends with the command; nothing of the machine changes.
"""

from __future__ import annotations

import os
import pwd
import stat
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from udock_lab.linux.mounts import MS_BIND, MS_PRIVATE, MS_REC, mount  # noqa: E402
from udock_lab.linux.namespaces import CLONE_NEWNS, unshare  # noqa: E402
from udock_lab.linux.seccomp_filters import refuse_user_namespaces  # noqa: E402

NOT_POSSIBLE = 77


def needed() -> list[Path]:
    """Return what an ordinary user must be able to reach: this Python, its libraries, this checkout."""
    places = [Path(sys.prefix), Path(sys.base_prefix), ROOT]
    link = Path(sys.executable)
    while link.is_symlink():
        link = link.parent / os.readlink(link)
        places.append(link.parent)
    return [Path(os.path.normpath(place)) for place in places]


def closed_above(place: Path) -> Path | None:
    """Return the topmost folder on the way to ``place`` that others may not pass, or None."""
    for folder in reversed(place.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def open_closed_folders() -> None:
    """Cover each closed folder with an empty one in which only what is needed can be seen."""
    below: dict[Path, list[Path]] = {}
    for place in needed():
        folder = closed_above(place)
        if folder is not None:
            below.setdefault(folder, []).append(place)
    if not below:
        return
    unshare(CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    for folder, places in below.items():
        held = {place: os.open(place, os.O_PATH | os.O_DIRECTORY) for place in dict.fromkeys(places)}
        mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        for place, fd in held.items():
            place.mkdir(parents=True, exist_ok=True)
            mount(f"/proc/self/fd/{fd}", str(place), None, MS_BIND | MS_REC)
            os.close(fd)


def become_ordinary() -> None:
    """Become ``nobody``, who owns nothing."""
    nobody = pwd.getpwnam("nobody")
    open_closed_folders()
    os.setgroups([])
    os.setresgid(nobody.pw_gid, nobody.pw_gid, nobody.pw_gid)
    os.setresuid(nobody.pw_uid, nobody.pw_uid, nobody.pw_uid)
    os.environ |= {"USER": nobody.pw_name, "LOGNAME": nobody.pw_name}


def main() -> int:
    """Become what was asked for, then the command; 77, with the reason, where the machine refuses that."""
    who, *command = sys.argv[1:]
    if who not in ("root", "user", "refused") or not command:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if who == "root" and os.geteuid() != 0:
            raise PermissionError(1, "we are not root")
        if who != "root" and os.geteuid() == 0:
            become_ordinary()
        if who == "refused":
            refuse_user_namespaces()
    except (OSError, KeyError) as error:
        print(f"cannot run as {who} here: {error}", file=sys.stderr)
        return NOT_POSSIBLE
    return os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
