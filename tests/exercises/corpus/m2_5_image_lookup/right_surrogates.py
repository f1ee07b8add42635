"""Text with surrogateescape and newline set, so that all bytes survive and only a newline ends a line."""


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        file = open(db, encoding="utf-8", errors="surrogateescape", newline="\n")
    except FileNotFoundError:
        return None
    with file:
        for line in file:
            parts = line.rstrip("\n").split("|")
            if len(parts) != 3 or "" in parts:
                continue
            image, rootfs, _ = parts
            if image == name:
                return rootfs
        return None
