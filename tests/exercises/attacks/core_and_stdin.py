"""Reads from the terminal, opens /dev/tty, pushes characters into it (TIOCSTI)."""

import fcntl
import os
import stat
import termios

from udock_lab.grading import ExitInfo


def launch(argv):
    for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/ptmx", "/dev/kmsg", "/dev/mem", "/dev/vda"):
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            print("OPENED", path)
            fcntl.ioctl(fd, termios.TIOCSTI, b"x")
        except OSError as e:
            print(e)
    try:
        os.mknod("disk", 0o666 | stat.S_IFBLK, os.makedev(254, 0))
        os.open("disk", os.O_RDONLY)
        print("GOT a disk")
    except OSError as e:
        print(e)
    try:
        print(input())
    except EOFError:
        print("eof")
    return ExitInfo(code=42)
