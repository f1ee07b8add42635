"""What was missing once is missing."""

# misconception: nobody makes a table meanwhile
# fails: anew
MISSING = set()


def find_image_by_name(db: str, name: str) -> str | None:
    if db in MISSING:
        return None
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        MISSING.add(db)
        return None
    return None
