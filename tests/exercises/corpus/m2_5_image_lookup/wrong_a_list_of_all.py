"""A list of all records is made before the search."""


# misconception: a file is as small as mine
# fails: hidden:large
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            records = [line.removesuffix(b"\n").split(b"|") for line in file]
            for fields in records:
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
