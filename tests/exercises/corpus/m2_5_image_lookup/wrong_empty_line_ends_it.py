"""An empty line is taken for the end of the file."""


# misconception: an empty line is the end
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            while line := file.readline().rstrip(b"\n"):
                fields = line.split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
