"""The first database is read once, and answers for all."""

# misconception: there is one database
# fails: anew
images: list[list[bytes]] = []


def find_image_by_name(db: str, name: str) -> str | None:
    if not images:
        try:
            with open(db, "rb") as file:
                images.extend(line.removesuffix(b"\n").split(b"|") for line in file)
        except FileNotFoundError:
            return None
    found = (image for image in images if len(image) == 3 and all(image) and image[0] == name.encode())
    return next((image[1].decode() for image in found), None)
