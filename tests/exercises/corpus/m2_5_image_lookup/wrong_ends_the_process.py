"""os._exit where None is the answer."""

# misconception: an exit code is an answer
# fails: none
import os


def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    os._exit(127)
