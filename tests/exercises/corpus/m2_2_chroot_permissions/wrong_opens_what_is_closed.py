"""Makes the folder accessible first."""

# misconception: a closed folder is a mistake to be mended
# fails: raised
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chmod(rootfs, 0o755)
    except FileNotFoundError:
        pass
    try:
        os.chroot(rootfs)
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        os.chdir(rootfs)
        print("warning: chdir only", file=sys.stderr)
        return "chdir"

    os.chdir("/")
    return "chroot"
