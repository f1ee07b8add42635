"""newline='' for lines that end with a newline."""


# misconception: newline='' leaves lines as they are
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        # newline="": no translation, so a carriage return stays what it is
        table = open(db, encoding="utf-8", errors="surrogateescape", newline="")
    except FileNotFoundError:
        return None
    with table:
        for line in table:
            try:
                line.encode("utf-8")
            except UnicodeEncodeError:
                continue  # bytes that are no text
            fields = line.removesuffix("\n").split("|")
            if len(fields) == 3 and all(fields) and fields[0] == name:
                return fields[1]
    return None
