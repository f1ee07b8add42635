"""readline until it gives None."""


# misconception: at the end of a file readline gives None
# fails: none
def find_image_by_name(db, name):
    try:
        f = open(db)
    except FileNotFoundError:
        return None
    line = f.readline()
    while line is not None:
        fields = line.split("|")
        if len(fields) == 3 and fields[0] == name:
            f.close()
            return fields[1]
        line = f.readline()
    f.close()
    return None
