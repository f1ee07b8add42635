"""The file is mapped; a name with a | in it is found across two fields."""

# misconception: the beginning of a line is its first field
# fails: exact
import mmap
import os


def find_image_by_name(db: str, name: str) -> str | None:
    key = name.encode() + b"|"
    try:
        fd = os.open(db, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if len(key) == 1 or os.fstat(fd).st_size == 0:
            return None
        with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
            at = data.find(key)
            while at >= 0:
                if at == 0 or data[at - 1] == 10:
                    end = data.find(b"\n", at)
                    _, path, *rest = data[at : end if end >= 0 else len(data)].split(b"|")
                    if path and len(rest) == 1 and rest[0]:
                        return os.fsdecode(path)
                at = data.find(key, at + 1)
    finally:
        os.close(fd)
    return None
