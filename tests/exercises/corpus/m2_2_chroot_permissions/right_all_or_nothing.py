"""Where an error is raised, the caller is where it was before."""

import errno
import os
import sys


def enter(rootfs: str) -> str:
    """All or nothing: where an error is raised the caller is where it was before."""
    try:
        before = os.open(".", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        before = None  # no way back, then; rootfs may be good all the same
    try:
        os.chdir(rootfs)
        try:
            os.chroot(".")
        except OSError as error:
            if error.errno != errno.EPERM:
                if before is not None:
                    try:
                        os.fchdir(before)
                    except OSError:
                        pass  # the first error is the one to tell
                raise
            how = "chdir"
        else:
            how = "chroot"
    finally:
        if before is not None:
            os.close(before)
    if how == "chroot":
        os.chdir("/")
    else:
        print("enter: no chroot (Operation not permitted)", file=sys.stderr)
    return how
