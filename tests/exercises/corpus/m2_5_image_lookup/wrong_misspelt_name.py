"""Another name for the function."""


# misconception: a name need not be spelt as it is asked for
# fails: finds
def find_image_by_nane(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        with open(db) as f:
            for line in f:
                fields = line.split("|")
                if len(fields) == 3 and fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
