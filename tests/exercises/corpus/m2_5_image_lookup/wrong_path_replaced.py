"""Bytes are compared, the path is decoded with errors='replace'."""


# misconception: a path with other letters is better than none
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode(errors="replace")
    except FileNotFoundError:
        pass
    return None
