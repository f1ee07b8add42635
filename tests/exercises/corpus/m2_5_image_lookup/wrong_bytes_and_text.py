"""Bytes are compared with text."""


# misconception: b'demo' equals 'demo'
# fails: finds
def find_image_by_name(db, name):
    try:
        with open(db, "rb") as f:
            for line in f:
                fields = line.split(b"|")
                if len(fields) == 3 and fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
