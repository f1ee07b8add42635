"""Whatever the first line says decides."""


# misconception: a loop that returns on each way has seen everything
# fails: finds
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and fields[0] == name.encode():
                    return fields[1].decode()
                return None
    except FileNotFoundError:
        return None
