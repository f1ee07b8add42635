"""The program chroot(8) is asked to do it."""
# misconception: a program that is started can change the process that started it
# fails: root

import subprocess


def enter(rootfs):
    done = subprocess.run(["chroot", rootfs, "/bin/true"], check=False)
    return "chdir" if done.returncode == 125 else "chroot"
