"""readline and while, as C would do it."""


def find_image_by_name(db: str, name: str) -> str | None:
    found = None
    try:
        table = open(db, mode="rb")
    except FileNotFoundError:
        return found
    try:
        line = table.readline()
        while line and found is None:
            first = line.find(b"|")
            second = line.find(b"|", first + 1)
            third = line.find(b"|", second + 1)
            ends = len(line) - line.endswith(b"\n")
            if 0 < first < second - 1 and third < 0 and second + 1 < ends and line[:first] == name.encode():
                found = line[first + 1 : second].decode()
            line = table.readline()
    finally:
        table.close()
    return found
