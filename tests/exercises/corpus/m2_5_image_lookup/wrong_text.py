"""The table is read as UTF-8 text."""


# misconception: a table is text
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, encoding="utf-8") as file:
            for line in file:
                fields = line.removesuffix("\n").split("|")
                if len(fields) == 3 and all(fields) and fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        pass
    return None
