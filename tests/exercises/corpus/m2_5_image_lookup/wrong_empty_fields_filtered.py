"""Empty fields are filtered out first."""


# misconception: an empty field is no field
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = [field for field in line.removesuffix(b"\n").split(b"|") if field]
                if len(fields) == 3 and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
