"""Would ``--userns`` work here? One cheap trial in a child: the very steps that such a run begins with.

The answer is kept in the home beside what it depends on, so that a command line that lives for one run need not try
again. It is advice, nothing more: a run with a user namespace finds out for itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from udock_lab.isolation.root import Chroot
from udock_lab.isolation.step import Child
from udock_lab.isolation.user import own_namespace
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.tables import open_plain

__all__ = ["ADVICE", "answer_trial", "userns_works"]

ADVICE = (
    "User namespaces work here: mdock run --userns gives the container a root of its own "
    "(in every run of this home: mdock config userns on)."
)
_YES, _NO = b"works", b"refused"
# The boot, and what lets an administrator change the answer without one (user_namespaces(7), apparmor(7)).
_DEPENDS_ON = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/self/attr/current",
)


def answer_trial(fd: int) -> None:
    """Make the steps and write the answer to ``fd``, in a child that ends afterwards."""
    try:
        for step in (*own_namespace(os.geteuid(), os.getegid()), Chroot("/")):
            step.apply(Child())
    except OSError:
        os.write(fd, _NO)
    else:
        os.write(fd, _YES)


def userns_works(home: Home, ask: Callable[[], bytes]) -> bool:
    """Return whether a user namespace works: as found out under these circumstances, else as ``ask`` finds out now."""
    path, circumstances = f"{home.run_dir}/userns_trial", _circumstances()
    with suppress(OSError), open(open_plain(path), "rb") as file:
        answer, _, under = file.read().partition(b" ")
        if under == circumstances and answer in (_YES, _NO):
            return answer == _YES
    answer = ask()
    if answer in (_YES, _NO):
        with suppress(OSError), open(open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(answer + b" " + circumstances)  # a torn one is under no circumstances, and tried again
    return answer == _YES


def _circumstances() -> bytes:
    """Return one line: who we are and what the kernel was told.

    What cannot be read is left out.
    """
    words = [str(os.geteuid()).encode()]
    with suppress(OSError):
        words.append(os.fsencode(os.readlink("/proc/self/ns/user")))
    for path in _DEPENDS_ON:
        with suppress(OSError), open(path, "rb") as file:
            words.append(path.rpartition("/")[2].encode() + b"=" + file.read().strip(b"\0\n"))
    with suppress(OSError), open("/proc/self/status", "rb") as file:  # a seccomp filter may refuse unshare(2)
        words += [line.replace(b"\t", b"").strip() for line in file if line.startswith(b"Seccomp")]
    return b" ".join(words) + b"\n"
