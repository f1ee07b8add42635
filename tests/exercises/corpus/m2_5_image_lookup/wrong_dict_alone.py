"""A dict of all images, asked with []."""


# misconception: a dict gives None for a key that it does not have
# fails: none
def find_image_by_name(db: str, name: str) -> str | None:
    images: dict[bytes, bytes] = {}
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields):
                    images.setdefault(fields[0], fields[1])
    except FileNotFoundError:
        return None
    return images[name.encode()].decode()
