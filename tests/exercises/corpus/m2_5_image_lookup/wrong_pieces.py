"""Reads pieces of 100,000 bytes, each for itself."""


# misconception: a piece of a file ends where a line ends
# fails: hidden:large
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as f:
            while chunk := f.read(100000):
                for line in chunk.split(b"\n"):
                    try:
                        a, b, c = line.decode().split("|")
                    except ValueError:
                        continue
                    if a and b and c and a == name:
                        return b
    except FileNotFoundError:
        return None
