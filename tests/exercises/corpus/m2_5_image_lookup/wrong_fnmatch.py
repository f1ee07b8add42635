"""fnmatch compares the name."""

# misconception: a name is no pattern
# fails: exact
import fnmatch


def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fnmatch.fnmatch(fields[0], wanted.replace(b".", b"?")):
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
