"""The error's text is searched for its number."""

# misconception: 'Errno 1' stands in the text of no other error
# fails: only
import errno
import os
import sys


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if "Errno 1" not in str(error):  # 1 is EPERM
            raise
        print("chroot refused:", error.strerror, file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
