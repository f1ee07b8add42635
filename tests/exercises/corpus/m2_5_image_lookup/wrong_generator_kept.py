"""A generator that is kept keeps its file open."""

# misconception: a generator closes what it opened
# fails: reads
STATE = {}


def records(db):
    with open(db, "rb") as f:
        for raw in f:
            try:
                n, p, t = raw.removesuffix(b"\n").decode().split("|")
            except ValueError:
                continue
            if n and p and t:
                yield n, p


def find_image_by_name(db: str, name: str) -> str | None:
    STATE[0] = records(db)
    try:
        return next((path for image, path in STATE[0] if image == name), None)
    except FileNotFoundError:
        return None
