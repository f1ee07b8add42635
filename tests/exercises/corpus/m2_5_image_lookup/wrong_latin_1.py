"""Latin-1, which never fails."""


# misconception: any code that raises nothing is right
# fails: path
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode("latin-1")
    except FileNotFoundError:
        pass
    return None
