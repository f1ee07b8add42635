"""splitlines, which knows more ends of lines than a newline."""


# misconception: a line ends where splitlines says
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, encoding="utf-8", errors="replace", newline="") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        fields = line.split("|")
        if len(fields) == 3 and all(fields) and fields[0] == name:
            return fields[1]
    return None
