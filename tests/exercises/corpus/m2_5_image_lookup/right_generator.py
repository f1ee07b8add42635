"""One generator of records, and next."""


def records(db: str):
    with open(db, "rb") as file:
        for line in file:
            match line.rstrip(b"\n").split(b"|"):
                case [image, rootfs, created] if image and rootfs and created:
                    yield image, rootfs


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        return next((rootfs.decode() for image, rootfs in records(db) if image == name.encode()), None)
    except FileNotFoundError:
        return None
