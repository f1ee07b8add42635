"""Bytes survive, but text mode ends lines at carriage returns, too."""


# misconception: text mode changes nothing
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.removesuffix("\n").split("|")
                if len(fields) == 3 and all(fields) and fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        pass
    return None
