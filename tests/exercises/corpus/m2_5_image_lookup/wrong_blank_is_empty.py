"""Fields of blanks are taken for empty ones."""


# misconception: a blank is nothing
# fails: path
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(f.strip() for f in fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
