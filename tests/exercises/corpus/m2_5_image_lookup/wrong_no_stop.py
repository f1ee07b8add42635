"""The loop goes on after it has found the image."""


# misconception: the newest record counts
# fails: first
def find_image_by_name(db: str, name: str) -> str | None:
    found = None
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    found = fields[1].decode()
    except FileNotFoundError:
        pass
    return found
