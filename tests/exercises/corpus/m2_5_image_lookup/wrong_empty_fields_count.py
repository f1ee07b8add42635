"""Empty fields are fields."""


# misconception: three fields are a record, whatever they hold
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
