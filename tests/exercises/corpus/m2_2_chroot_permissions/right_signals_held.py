"""No signal handler runs between the two roots; EPERM is told apart by the path that the error names."""

import errno
import os
import sys
import signal


def enter(rootfs: str) -> str:
    """No handler of the caller runs between the two roots."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        refused = None
        os.chdir(os.fsencode(rootfs))
        try:
            os.chroot(b".")
            os.chdir(b"/")
        except OSError as error:
            # two calls in one try: the one that may be forgiven is told apart by the file name it carries
            if (error.errno, error.filename) != (errno.EPERM, b"."):
                raise
            refused = error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
    if refused:
        message = f"chroot: {refused.strerror}\n".encode()
        while message:
            message = message[os.write(2, message) :]
    return ("chroot", "chdir")[refused is not None]
