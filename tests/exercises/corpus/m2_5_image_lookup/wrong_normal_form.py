"""Unicode's normal form of both."""

# misconception: letters that look alike are the same
# fails: exact
import unicodedata


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if unicodedata.normalize("NFC", fields[0]) == unicodedata.normalize("NFC", name):
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
