"""Each line is unpacked into three names."""


# misconception: every line has three fields
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                image, rootfs, _ = line.split(b"|")
                if image == name.encode():
                    return rootfs.decode()
    except FileNotFoundError:
        pass
    return None
