"""Decoded with errors='backslashreplace'."""


# misconception: bytes that are no text can be replaced
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").decode(errors="backslashreplace").split("|")
                if len(fields) == 3 and all(fields) and fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        pass
    return None
