"""Surrogates; goes on after a damaged line by calling itself."""


def find_image_by_name(db: str, name: str) -> str | None:
    def search(lines):
        for line in lines:
            head, sep, tail = line.rstrip("\n").partition("|")
            if head != name or not sep or not head:
                continue
            path, sep, stamp = tail.partition("|")
            if not sep or not path or not stamp or "|" in stamp:
                return search(lines)
            return path
        return None

    try:
        with open(db, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            return search(f)
    except FileNotFoundError:
        return None
