"""rstrip of both kinds of line ends."""


# misconception: a carriage return is part of the end of a line
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.rstrip(b"\r\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
