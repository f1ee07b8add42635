"""After a UnicodeDecodeError the next line is asked for."""


# misconception: a text file goes on at the next line after an error
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, encoding="utf-8", newline="\n")
    except FileNotFoundError:
        return None
    with table:
        while True:
            try:
                line = next(table)
            except StopIteration:
                return None
            except UnicodeDecodeError:
                continue  # this line is no text: on with the next one
            fields = line.removesuffix("\n").split("|")
            if len(fields) == 3 and all(fields) and fields[0] == name:
                return fields[1]
