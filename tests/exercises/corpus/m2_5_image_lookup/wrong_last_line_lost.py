"""Only lines that end with a newline count."""


# misconception: each line ends with a newline
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if line.endswith(b"\n") and len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
