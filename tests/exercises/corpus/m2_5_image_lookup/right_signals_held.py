"""Signals held while the file is open; preadv into one buffer."""

import os
import signal


def _scan(fd, name):
    buffer = bytearray(128 * 1024)
    view = memoryview(buffer)
    pending = bytearray()
    at = 0
    while True:
        got = os.preadv(fd, [view], at)
        at += got
        pending += view[:got]
        if got == 0:
            last, pending = [bytes(pending)], bytearray()
        else:
            end = pending.rfind(b"\n") + 1
            last = bytes(pending[:end]).split(b"\n")
            del pending[:end]
        for line in last:
            fields = line.split(b"|")
            if len(fields) != 3 or not all(fields):
                continue
            try:
                if fields[0].decode("utf-8") == name:
                    return fields[1].decode("utf-8")
            except UnicodeDecodeError:
                pass
        if got == 0:
            return None


def find_image_by_name(db: str, name: str) -> str | None:
    """No signal handler gets between open and close, so no handler's exception can leave the file open."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM})
    fd = -1
    try:
        fd = os.open(db, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
        return _scan(fd, name)
    except FileNotFoundError:
        return None
    finally:
        if fd >= 0:
            os.close(fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
