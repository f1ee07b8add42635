"""Two helpers: one says whether chroot was permitted, the other reports."""

import errno
import logging
import os


def permitted(path: str) -> bool:
    try:
        os.chroot(path)
    except OSError as error:
        match error.errno:
            case errno.EPERM:
                return False
            case _:
                raise
    return True


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    if permitted("."):
        os.chdir("/")
        return "chroot"
    logging.getLogger(__name__).warning("chroot was refused, working in %s only", rootfs)
    return "chdir"
