"""A child goes inside, the parent reports it."""
# misconception: a root directory is shared by a family of processes
# fails: root

import os


def enter(rootfs):
    pid = os.fork()
    if pid == 0:
        os.chroot(rootfs)
        os.chdir("/")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return "chroot" if status == 0 else "chdir"
