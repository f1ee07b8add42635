"""next without a second argument."""


# misconception: next gives None where nothing comes
# fails: none
def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            records = (line.removesuffix(b"\n").split(b"|") for line in file)
            return next(r[1].decode() for r in records if len(r) == 3 and all(r) and r[0] == wanted)
    except FileNotFoundError:
        return None
