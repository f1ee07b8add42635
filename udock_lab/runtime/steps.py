"""What a child does between the gate and exec: each step says what it is and does it.

A step travels to the child as a list, its name first. ``describe`` is the call as a person writes it;
``apply`` makes it, in the child, and raises OSError. Steps run in the order of :func:`plan`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import termios

from udock_lab.linux.namespaces import CLONE_NEWUSER, setns, unshare
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.resolve import resolve_in_root
from udock_lab.linux.seccomp import set_filter

TYPE_CHECKING = False  # the module typing would be one more thing to copy at each fork
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STEPS", "Child", "Step", "make_step"]


class Child:
    """What the steps learn on the way: is the child really inside its root? ``gate`` is its descriptor there."""

    gate = 3

    def __init__(self, rootfs: str) -> None:
        self.rootfs = rootfs
        self.inside = False
        self.workdir = "/"
        self.waiting_filter = b""  # one that the kernel takes from us only after no_new_privs


class Step:
    """One system call of the set-up. ``optional_errnos``: refusals after which the run goes on."""

    name = "step"
    fields: tuple[str, ...] = ()
    optional_errnos: Sequence[int] = ()

    def __init__(self, *values: object) -> None:
        for field, value in zip(self.fields, values, strict=True):
            setattr(self, field, value)

    def describe(self) -> str:
        """The call as a person writes it."""
        raise NotImplementedError

    def apply(self, child: Child) -> None:
        """Make the call; OSError if the kernel refuses."""
        raise NotImplementedError


class Subreaper(Step):
    """Orphans of this process stay below it (prctl(2), PR_SET_CHILD_SUBREAPER); the flag survives exec."""

    name = "subreaper"

    def describe(self) -> str:
        return "prctl(PR_SET_CHILD_SUBREAPER, 1)"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


class Terminal(Step):
    """Standard input becomes the controlling terminal of this session (ioctl_tty(2), TIOCSCTTY)."""

    name = "terminal"

    def describe(self) -> str:
        return "ioctl(0, TIOCSCTTY)"

    def apply(self, child: Child) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class NewUserNamespace(Step):
    """A user namespace in which the caller is root (user_namespaces(7)): chroot is allowed in there."""

    name = "userns"
    fields = ("uid", "gid")
    uid: int
    gid: int

    def describe(self) -> str:
        return "unshare(CLONE_NEWUSER)"

    def apply(self, child: Child) -> None:
        unshare(CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")  # before gid_map, or an unprivileged write is refused
        _write("/proc/self/uid_map", f"0 {self.uid} 1")
        _write("/proc/self/gid_map", f"0 {self.gid} 1")


class JoinUserNamespace(Step):
    """Enter the user namespace of a running container (setns(2))."""

    name = "join_userns"
    fields = ("pid",)
    pid: int

    def describe(self) -> str:
        return f'setns(open("/proc/{self.pid}/ns/user"), CLONE_NEWUSER)'

    def apply(self, child: Child) -> None:
        fd = os.open(f"/proc/{self.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        setns(fd, CLONE_NEWUSER)
        os.close(fd)


class Chdir(Step):
    """The working directory becomes the image's root (chdir(2)). Without chroot, this is all there is."""

    name = "chdir"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'chdir("{self.path}")'

    def apply(self, child: Child) -> None:
        os.chdir(self.path)


class Chroot(Step):
    """``/`` becomes the image's root (chroot(2)); EPERM without CAP_SYS_CHROOT, and the run goes on."""

    name = "chroot"
    fields = ("path",)
    path: str
    optional_errnos = (errno.EPERM,)

    def describe(self) -> str:
        return f'chroot("{self.path}")'

    def apply(self, child: Child) -> None:
        os.chroot(self.path)
        child.inside = True


class ChdirInside(Step):
    """Step into the new root. Skipped without chroot: there, ``/`` is still the host's."""

    name = "chdir_inside"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'chdir("{self.path}")'

    def apply(self, child: Child) -> None:
        child.workdir = self.path
        if child.inside:
            os.chdir(self.path)
        elif self.path != "/":
            os.chdir(resolve_in_root(child.rootfs, self.path))


class Hold(Step):
    """Wait at the gate once more, until the parent has looked at us in /proc. Only where somebody asked for it."""

    name = "hold"
    fields = ("moment",)
    moment: str

    def describe(self) -> str:
        return f"read(gate) {self.moment}"

    def apply(self, child: Child) -> None:
        os.write(child.gate, self.moment.encode())
        if not os.read(child.gate, 16):
            raise OSError(errno.EPIPE, "the parent is gone")


_RESOURCES = {
    "RLIMIT_AS": resource.RLIMIT_AS,
    "RLIMIT_CPU": resource.RLIMIT_CPU,
    "RLIMIT_NOFILE": resource.RLIMIT_NOFILE,
}


class Limit(Step):
    """A resource limit (setrlimit(2)), per process. Set last: the child still needs memory and files itself."""

    name = "limit"
    fields = ("resource", "soft", "hard")
    resource: str
    soft: int
    hard: int

    def describe(self) -> str:
        return f"setrlimit({self.resource}, soft={self.soft}, hard={self.hard})"

    def apply(self, child: Child) -> None:
        try:
            resource.setrlimit(_RESOURCES[self.resource], (self.soft, self.hard))
        except ValueError as error:  # what the resource module makes of EPERM and EINVAL
            raise OSError(errno.EPERM, str(error)) from error


_ANY_ERRNO = range(1, 4096)  # MAX_ERRNO


class Signals(Step):
    """``kill(-1)`` is refused, which would end the notebook that started us (seccomp(2)): last of all steps.

    Nobody asked for it, so the run goes on where the machine refuses it. ``code``: the filter in hexadecimal.
    """

    name = "signals"
    fields = ("code",)
    code: str
    optional_errnos = _ANY_ERRNO

    def describe(self) -> str:
        return "prctl(PR_SET_SECCOMP, no kill(-1))"

    def apply(self, child: Child) -> None:
        try:
            code = bytes.fromhex(self.code)
            set_filter(code)
        except MemoryError:  # RLIMIT_AS is at work already
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None
        except OSError as error:
            if error.errno == errno.EACCES:
                child.waiting_filter = code
            raise


class NoNewPrivs(Step):
    """Without CAP_SYS_ADMIN the filter needs this first (prctl(2)): no setuid program gives privileges any more."""

    name = "no_new_privs"
    optional_errnos = _ANY_ERRNO

    def describe(self) -> str:
        return "prctl(PR_SET_NO_NEW_PRIVS, 1), if the filter needs it"

    def apply(self, child: Child) -> None:
        if child.waiting_filter:
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            set_filter(child.waiting_filter)


STEPS: dict[str, type[Step]] = {
    step.name: step
    for step in (
        Subreaper,
        Terminal,
        NewUserNamespace,
        JoinUserNamespace,
        Chdir,
        Chroot,
        ChdirInside,
        Limit,
        Signals,
        NoNewPrivs,
        Hold,
    )
}


def make_step(words: Sequence[object]) -> Step:
    """The step that travelled as ``[name, argument, ...]``."""
    return STEPS[str(words[0])](*words[1:])


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
