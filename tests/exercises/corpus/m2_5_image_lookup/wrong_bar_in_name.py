"""startswith(name and |)."""


# misconception: the beginning of a line is its first field
# fails: exact
def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, "rb")
    except FileNotFoundError:
        return None
    start = name + "|"  # with the bar, so that demo-old is not demo
    with table:
        for raw in table:
            try:
                line = raw.decode("utf-8").removesuffix("\n")
            except UnicodeDecodeError:
                continue
            if not line.startswith(start):
                continue
            fields = line.split("|")
            if len(fields) == 3 and all(fields):
                return fields[1]
    return None
