"""The first bad line ends the search."""


# misconception: the first bad line ends the search
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) != 3:
                    return None
                if all(fields) and fields[0] == name.encode():
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
