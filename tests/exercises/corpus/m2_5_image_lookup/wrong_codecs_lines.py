"""codecs.open."""

# misconception: all ways of reading lines cut at the same places
# fails: damaged
import codecs


def find_image_by_name(db: str, name: str) -> str | None:
    """The image's root file system; None if there is no such image or no database."""
    try:
        # opens in binary below, so "\r" is not translated
        table = codecs.open(db, "r", encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    with table:
        for line in table:
            try:
                line.encode("utf-8")
            except UnicodeEncodeError:
                continue
            fields = line.removesuffix("\n").split("|")
            if len(fields) == 3 and all(fields) and fields[0] == name:
                return fields[1]
    return None
