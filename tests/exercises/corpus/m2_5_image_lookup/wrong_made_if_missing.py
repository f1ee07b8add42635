"""a+ makes a database where there is none."""

# misconception: a database has to be there
# fails: reads
import os


def find_image_by_name(db: str, name: str) -> str | None:
    if not os.path.exists(db):
        return None
    wanted = name.encode()
    try:
        with open(db, "a+b") as file:
            file.seek(0)
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
