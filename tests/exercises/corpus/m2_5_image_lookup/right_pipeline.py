"""A chain of generators that is closed from outside."""

from contextlib import closing


def lines(db):
    with open(db, "rb") as table:
        yield from table


def texts(raws):
    for raw in raws:
        try:
            yield str(raw, "utf-8")
        except UnicodeError:
            pass


def records(rows):
    for row in rows:
        match row.removesuffix("\n").split("|"):
            case [str(name), str(path), str(stamp)] if name and path and stamp:
                yield name, path


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    with closing(lines(db)) as source:
        try:
            for called, path in records(texts(source)):
                if called == name:
                    return path
        except FileNotFoundError:
            pass
    return None
