"""The nearest name is taken where none fits."""

# misconception: a similar name is meant
# fails: exact
import difflib


def find_image_by_name(db: str, name: str) -> str | None:
    images = {}
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields):
                    images.setdefault(fields[0].decode(errors="replace"), fields[1].decode())
    except FileNotFoundError:
        return None
    near = difflib.get_close_matches(name, images, n=1, cutoff=0.8)
    return images[near[0]] if near else None
