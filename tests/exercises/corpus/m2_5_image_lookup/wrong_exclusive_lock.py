"""r+b, for a lock."""

# misconception: a reader needs an exclusive lock
# fails: reads
import fcntl


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, "r+b")  # an exclusive lock needs a descriptor to write to
    except FileNotFoundError:
        return None
    with table:
        fcntl.lockf(table, fcntl.LOCK_EX)  # nobody writes while I read
        for raw in table:
            try:
                fields = raw.decode("utf-8").removesuffix("\n").split("|")
            except UnicodeDecodeError:
                continue
            if len(fields) == 3 and all(fields) and fields[0] == name:
                return fields[1]
    return None
