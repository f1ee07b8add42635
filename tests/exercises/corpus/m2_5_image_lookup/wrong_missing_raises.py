"""A missing database is an error."""


# misconception: a missing database is an error of the user
# fails: none
def find_image_by_name(db: str, name: str) -> str | None:
    with open(db, "rb") as file:
        for line in file:
            fields = line.removesuffix(b"\n").split(b"|")
            if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                return fields[1].decode()
    return None
