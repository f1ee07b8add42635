"""rstrip() for the newline."""


# misconception: rstrip takes the newline alone
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, "rb")
    except FileNotFoundError:
        return None
    with table:
        for raw in table:
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError:
                continue
            fields = line.rstrip().split("|")  # the newline goes
            if len(fields) == 3 and all(fields) and fields[0] == name:
                return fields[1]
    return None
