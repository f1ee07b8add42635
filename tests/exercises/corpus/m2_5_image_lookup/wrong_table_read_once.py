"""The table is read by the first call only."""

# misconception: a table does not change
# fails: anew
tables: dict[str, list[bytes]] = {}


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        if db not in tables:
            with open(db, "rb") as file:
                tables[db] = file.read().split(b"\n")
    except FileNotFoundError:
        return None
    for line in tables[db]:
        fields = line.split(b"|")
        if len(fields) == 3 and all(fields) and fields[0] == name.encode():
            return fields[1].decode()
    return None
