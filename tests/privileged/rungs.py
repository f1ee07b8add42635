"""Stand on a lower rung: run Python with less than this machine permits. For tests; nothing outlives the process.

    python tests/privileged/rungs.py nobody refuse=unshare,landlock -- 'print(1)'

``nobody`` gives up root as ``scripts/with_privilege.py`` does for lessons;
``refuse`` has the kernel refuse system calls by a seccomp filter, as container runtimes do.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from udock_lab import Runtime

PACKAGE = Path(__file__).resolve().parents[2]
NOBODY = pwd.getpwnam("nobody").pw_uid
# (system call number on x86_64 and aarch64, first argument or None, errno that a container runtime answers)
REFUSED = {
    "unshare": (272, 97, None, errno.EPERM),
    "ptrace": (101, 117, None, errno.EPERM),
    "landlock": (444, 444, None, errno.ENOSYS),
    "seccomp": (157, 167, 22, errno.EPERM),  # prctl(PR_SET_SECCOMP)
    "listener": (317, 277, None, errno.EPERM),  # seccomp(2), which alone hands over a listener
}


def run(rungs: list[str], code: str, timeout: float = 60, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` there; stdout and stderr as text."""
    words = [sys.executable, str(Path(__file__)), *rungs, "--", code]
    return subprocess.run(
        words, env=os.environ | env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
    )


def without_chroot(runtime: Runtime) -> list[str]:
    """The words before a command that make the kernel refuse chroot to it (capabilities(7), CAP_SYS_CHROOT)."""
    if os.geteuid() != 0:
        runtime.configure("userns", False)
        return []
    if not shutil.which("setpriv"):
        pytest.skip("needs privilege: setpriv is missing")
    return ["setpriv", "--bounding-set=-sys_chroot", "--inh-caps=-sys_chroot"]


def main(words: list[str]) -> None:
    at = words.index("--")
    sys.path[:0] = [str(PACKAGE), str(PACKAGE / "scripts")]
    for rung in words[:at]:
        if rung == "nobody":
            become_nobody()
        else:
            refuse(rung.removeprefix("refuse=").split(","))
    exec(compile(words[at + 1], "<rung>", "exec"), {"__name__": "__main__"})


def become_nobody() -> None:
    """Only if we are root; anybody else is nobody enough."""
    if os.geteuid() != 0:
        return
    from with_privilege import become_ordinary

    from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl

    become_ordinary()
    os.chdir("/")
    prctl(PR_SET_DUMPABLE, 1)  # lost with the user id; an exec would bring it back


def refuse(names: list[str]) -> None:
    """A filter of one comparison after another; it stays for good and for all children."""
    from udock_lab.linux import seccomp_filters
    from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl
    from udock_lab.linux.seccomp import set_filter

    arm = os.uname().machine == "aarch64"
    lines = []
    for x86_64, aarch64, argument, error in (REFUSED[name] for name in names):
        more = 0 if argument is None else 2
        lines += [seccomp_filters._Instruction(0x20, 0, 0, 0)]
        lines += [seccomp_filters._Instruction(0x15, 0, more + 1, aarch64 if arm else x86_64)]
        if argument is not None:
            lines += [seccomp_filters._Instruction(0x20, 0, 0, 16), seccomp_filters._Instruction(0x15, 0, 1, argument)]
        lines += [seccomp_filters._Instruction(0x06, 0, 0, 0x00050000 | error)]
    lines += [seccomp_filters._Instruction(0x06, 0, 0, 0x7FFF0000)]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    set_filter(b"".join(map(bytes, lines)))


if __name__ == "__main__":
    main(sys.argv[1:])
