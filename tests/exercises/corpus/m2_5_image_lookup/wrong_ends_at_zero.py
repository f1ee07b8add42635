"""A zero byte ends a line, as in C."""


# misconception: a zero byte ends a line
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                line = line.split(b"\0")[0]
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
