"""A nested function, filter and next."""


def find_image_by_name(db, name):
    def path(raw):
        try:
            n, p, t = raw.decode().removesuffix("\n").split("|")
        except ValueError:
            return None  # UnicodeDecodeError is one, too
        return p if n == name and n and t else None

    try:
        f = open(db, "rb", buffering=1 << 18)
    except FileNotFoundError:
        return None
    with f:
        return next(filter(None, map(path, f)), None)
