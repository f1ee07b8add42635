"""pathlib's open and partition: one | after the other."""

from pathlib import Path


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with Path(db).open("rb") as table:
            for line in table:
                image, first, rest = line.partition(b"|")
                rootfs, second, created = rest.partition(b"|")
                whole = first and second and b"|" not in created and created not in (b"", b"\n")
                if whole and rootfs and image and image == name.encode("utf-8"):
                    return str(rootfs, "utf-8")
    except FileNotFoundError:
        return None
