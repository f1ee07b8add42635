"""One try around the whole loop: the first error is the end."""


# misconception: an error that is caught is dealt with
# fails: damaged
def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, encoding="utf-8", newline="\n") as file:
            for line in file:
                image, rootfs, _ = line.rstrip("\n").split("|")
                if image == name:
                    return rootfs
    except (ValueError, FileNotFoundError):
        pass
    return None
