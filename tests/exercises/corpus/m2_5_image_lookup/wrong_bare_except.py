"""A bare except around everything."""


# misconception: an error that is caught is dealt with
# fails: damaged
def find_image_by_name(db, name):
    try:
        with open(db, "rb") as f:
            for line in f:
                fields = line.decode("utf-8").removesuffix("\n").split("|")
                if len(fields) == 3 and "" not in fields and fields[0] == name:
                    return fields[1]
        return None
    except:
        return None
