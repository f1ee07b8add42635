"""isdir decides."""

# misconception: a record whose directory is gone is none
# fails: finds
import os


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, "rb")
    except FileNotFoundError:
        return None
    with table:
        for raw in table:
            try:
                fields = raw.decode("utf-8").removesuffix("\n").split("|")
            except UnicodeDecodeError:
                continue
            if len(fields) != 3 or not all(fields):
                continue
            # an image whose directory is gone cannot be run
            if fields[0] == name and os.path.isdir(fields[1]):
                return fields[1]
    return None
