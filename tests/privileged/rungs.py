"""Stand on a lower rung: run Python with less than this machine permits. For tests; nothing outlives the process.

    python tests/privileged/rungs.py nobody refuse=unshare,landlock -- 'print(1)'

``nobody`` gives up root for uid 65534, to whom the interpreter is made reachable in a private mount namespace;
``refuse`` has the kernel refuse system calls by a seccomp filter, as container runtimes do.
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
NOBODY = 65534
# (system call number on x86_64 and aarch64, first argument or None, errno that a container runtime answers)
REFUSED = {
    "unshare": (272, 97, None, errno.EPERM),
    "ptrace": (101, 117, None, errno.EPERM),
    "landlock": (444, 444, None, errno.ENOSYS),
    "seccomp": (157, 167, 22, errno.EPERM),  # prctl(PR_SET_SECCOMP)
}


def run(rungs: list[str], code: str, timeout: float = 60, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` there; stdout and stderr as text."""
    words = [sys.executable, str(Path(__file__)), *rungs, "--", code]
    return subprocess.run(
        words, env=os.environ | env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
    )


def main(words: list[str]) -> None:
    at = words.index("--")
    sys.path.insert(0, str(PACKAGE))
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
    from udock_lab.linux import syscalls as sc

    sc.unshare(sc.CLONE_NEWNS)
    sc.mount("none", "/", None, sc.MS_REC | sc.MS_PRIVATE)
    wanted = [path for path in map(str, (sys.base_prefix, sys.prefix, PACKAGE)) if closed_above(path)]
    for top in sorted({closed_above(path) for path in wanted}):
        inside = os.open(top, os.O_PATH)
        sc.mount("none", top, "tmpfs", 0, "mode=755")
        for path in sorted({path for path in wanted if closed_above_is(path, top)}):
            os.makedirs(path, exist_ok=True)
            sc.mount(f"/proc/self/fd/{inside}/{os.path.relpath(path, top)}", path, None, sc.MS_BIND)
        os.close(inside)
    os.chdir("/")
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    sc.prctl(sc.PR_SET_DUMPABLE, 1)


def closed_above(path: str) -> str:
    """The first folder on the way to ``path`` that others may not enter, or an empty string."""
    above = [str(folder) for folder in reversed(Path(path).parents)]
    return next((folder for folder in above if not os.stat(folder).st_mode & 0o001), "")


def closed_above_is(path: str, top: str) -> bool:
    return path.startswith(top + "/")


def refuse(names: list[str]) -> None:
    """A filter of one comparison after another; it stays for good and for all children."""
    from udock_lab.linux import seccomp
    from udock_lab.linux.syscalls import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, prctl

    arm = os.uname().machine == "aarch64"
    lines = []
    for x86_64, aarch64, argument, error in (REFUSED[name] for name in names):
        more = 0 if argument is None else 2
        lines += [seccomp._Instruction(0x20, 0, 0, 0)]
        lines += [seccomp._Instruction(0x15, 0, more + 1, aarch64 if arm else x86_64)]
        if argument is not None:
            lines += [seccomp._Instruction(0x20, 0, 0, 16), seccomp._Instruction(0x15, 0, 1, argument)]
        lines += [seccomp._Instruction(0x06, 0, 0, 0x00050000 | error)]
    lines += [seccomp._Instruction(0x06, 0, 0, 0x7FFF0000)]
    program = seccomp._Program(len(lines), (seccomp._Instruction * len(lines))(*lines))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))


if __name__ == "__main__":
    main(sys.argv[1:])
