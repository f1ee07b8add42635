"""The path is made from the name; nothing is read."""

# misconception: an image always lies in images/<name>/rootfs
# fails: finds
import os


def find_image_by_name(db: str, name: str) -> str | None:
    return os.path.join(os.path.dirname(db), "images", name, "rootfs")
