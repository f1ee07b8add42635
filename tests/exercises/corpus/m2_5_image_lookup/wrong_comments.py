"""Lines that begin with # are comments."""


# misconception: a table is a configuration file
# fails: exact
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if line.startswith(b"#") or len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
