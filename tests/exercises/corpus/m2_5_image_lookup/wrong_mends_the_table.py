"""Damaged lines are removed on the way."""


# misconception: damaged lines are worth nothing
# fails: reads
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return None
    good = [line for line in lines if line.count(b"|") == 2 and all(line.split(b"|"))]
    with open(db, "wb") as file:
        file.write(b"".join(line + b"\n" for line in good))
    for line in good:
        image, rootfs, _ = line.split(b"|")
        if image == name.encode():
            return rootfs.decode()
    return None
