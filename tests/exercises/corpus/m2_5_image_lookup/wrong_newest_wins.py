"""The newest record wins."""


# misconception: a later record replaces an earlier one
# fails: first
def find_image_by_name(db: str, name: str) -> str | None:
    best = None
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    a, b, c = line.decode().rstrip("\n").split("|")
                except ValueError:
                    continue
                if a and b and c and a == name and (best is None or c > best[0]):
                    best = c, b
    except FileNotFoundError:
        return None
    return best and best[1]
