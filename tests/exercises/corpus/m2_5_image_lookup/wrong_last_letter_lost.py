"""The last letter of each line is cut off."""


# misconception: each line ends with a newline
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line[:-1].decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
