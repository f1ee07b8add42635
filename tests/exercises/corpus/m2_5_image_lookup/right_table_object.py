"""A table is an object to iterate over and to close."""


class ImageTable:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "rb")
        return self

    def __exit__(self, *exc):
        self.file.close()

    def __iter__(self):
        for line in self.file:
            try:
                fields = tuple(field.decode() for field in line.rstrip(b"\n").split(b"|"))
            except UnicodeDecodeError:
                continue
            if len(fields) == 3 and all(fields):
                yield fields


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with ImageTable(db) as table:
            for image, path, _ in table:
                if image == name:
                    return path
    except FileNotFoundError:
        ...
    return None
