"""A record from the future is none."""

# misconception: an image that will be made is not there yet
# fails: finds
import time


def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if (
                    len(fields) == 3
                    and all(fields)
                    and fields[0] == wanted
                    and fields[2].decode() < time.strftime("%Y-%m-%dT%H:%M:%S")
                ):
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
