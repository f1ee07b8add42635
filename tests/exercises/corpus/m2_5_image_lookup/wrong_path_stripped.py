"""strip on each field of the answer."""


# misconception: blanks around a path are no part of it
# fails: path
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode().strip()
    except FileNotFoundError:
        pass
    return None
