"""A dict of all images: the last one wins."""


# misconception: there is only one of each name
# fails: first
def find_image_by_name(db: str, name: str) -> str | None:
    images = {}
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields):
                    images[fields[0]] = fields[1].decode(errors="replace")
    except FileNotFoundError:
        pass
    return images.get(name.encode())
