"""M2.2: what ``enter(rootfs)`` promises."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "enter(rootfs): another root, or the reason why not"
FUNCTIONS = ("enter",)
REQUIREMENTS = (
    Requirement(
        key="root",
        name='rootfs becomes the root directory, and "chroot" is returned',
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "Which call changes the place where each path that begins with / starts?",
            "os.chroot(rootfs), in the process that was called: a root directory belongs to one process.",
        ),
    ),
    Requirement(
        key="cwd",
        name="the working directory is inside as well",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "What does ../.. show after chroot alone?",
            'Either os.chroot(rootfs) and then os.chdir("/"), or os.chdir(rootfs) and then os.chroot(".").',
        ),
    ),
    Requirement(
        key="relative",
        name="a relative path means the same folder",
        points=1,
        lesson='m2_2_chroot_permissions, "The same in C"',
        hints=(
            "A path without a leading / starts at the working directory. Where is that after the first of your calls?",
            'After os.chdir(rootfs) the folder is ".", whatever it was called before.',
        ),
    ),
    Requirement(
        key="asks",
        name="asks the kernel, not the user id",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "The right has a name, CAP_SYS_CHROOT, and root is not the only one who may have it. How do you find out?",
            "Call os.chroot and look at the answer. No question to os.geteuid() is needed.",
        ),
    ),
    Requirement(
        key="eperm",
        name='if chroot is refused with EPERM, the process works in rootfs, and "chdir" is returned',
        points=1,
        lesson='m2_2_chroot_permissions, "The same in C"',
        hints=(
            "Which exception is EPERM, and where in your function can it come from?",
            'os.chroot(...) in a try. And where does os.chdir("/") lead when the root is still the old one?',
        ),
    ),
    Requirement(
        key="raised",
        name="a missing folder, a plain file, a closed folder: the error is raised",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "Whose mistake is a missing folder, and who has to hear of it?",
            "Let OSError pass. Nothing has to be caught for that.",
        ),
    ),
    Requirement(
        key="only",
        name="of all refusals of chroot only EPERM is forgiven",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "Which errno values does your except clause catch? PermissionError stands for more than one.",
            "if error.errno != errno.EPERM: raise",
        ),
    ),
    Requirement(
        key="warns",
        name="warns on standard error then, and only then",
        points=1,
        lesson='m2_2_chroot_permissions, "The same in C"',
        hints=("print(..., file=sys.stderr), on the one way on which nothing is shut in.",),
    ),
)
