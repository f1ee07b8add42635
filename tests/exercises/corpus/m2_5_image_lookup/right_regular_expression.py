"""A pattern over the mapped file, with the name escaped and newlines spelt out."""

import mmap
import re


def find_image_by_name(db: str, name: str) -> str | None:
    pattern = re.compile(rb"(?:\A|(?<=\n))%b\|([^|\n]+)\|[^|\n]+(?=\n|\Z)" % re.escape(name.encode()))
    try:
        with open(db, "rb") as file:
            if not name or {*"|\n"} & {*name} or not file.seek(0, 2):
                return None
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
                found = pattern.search(data)
                return found[1].decode("utf-8") if found else None
    except FileNotFoundError:
        return None
