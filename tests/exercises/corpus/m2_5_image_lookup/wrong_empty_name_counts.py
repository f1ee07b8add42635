"""A line without a name is a record."""


# misconception: only the path must not be empty
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields[1:]):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
