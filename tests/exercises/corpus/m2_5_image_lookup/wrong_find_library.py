"""find_library, which starts ldconfig."""

# misconception: find_library only looks something up
# fails: reads
import ctypes
import ctypes.util
import os


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system, with the system calls themselves."""
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    fd = libc.open(os.fsencode(db), os.O_RDONLY | os.O_CLOEXEC)
    if fd == -1:
        error = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), db)
        if isinstance(error, FileNotFoundError):
            return None
        raise error
    try:
        with open(fd, "rb", closefd=False) as table:
            for raw in table:
                try:
                    fields = raw.decode("utf-8").removesuffix("\n").split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) == 3 and all(fields) and fields[0] == name:
                    return fields[1]
        return None
    finally:
        libc.close(fd)
