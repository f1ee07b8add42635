"""The name somewhere in the line."""


# misconception: a line that mentions the name is its record
# fails: exact
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and wanted in line:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
