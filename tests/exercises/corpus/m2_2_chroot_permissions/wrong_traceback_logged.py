"""logging.exception shows the traceback below its line."""

# misconception: a log is for every detail
# fails: warns
import errno
import logging
import os


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        logging.exception("chroot refused")
        return "chdir"
    os.chdir("/")
    return "chroot"
