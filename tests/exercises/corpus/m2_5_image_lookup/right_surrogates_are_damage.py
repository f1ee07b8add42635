"""Text with surrogateescape; a line in which something escaped is damaged."""


def _is_text(s):
    try:
        s.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        table = open(db, encoding="utf-8", errors="surrogateescape", newline="\n")
    except FileNotFoundError:
        return None
    with table:
        for line in table:
            fields = line.removesuffix("\n").split("|")
            if len(fields) == 3 and fields[0] == name and all(fields):
                # a surrogate stands for a byte that was no text: such a line is damaged
                if _is_text(fields[0]) and _is_text(fields[1]) and _is_text(fields[2]):
                    return fields[1]
    return None
