"""A class over FileIO, a dataclass for a record, an exception for a damaged line."""

import io
from dataclasses import dataclass
from typing import Iterator, Optional


class Damaged(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Image:
    name: str
    rootfs: str
    created: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "Image":
        body = raw[:-1] if raw.endswith(b"\n") else raw
        name, bar1, tail = body.partition(b"|")
        rootfs, bar2, created = tail.partition(b"|")
        if not (bar1 and bar2 and name and rootfs and created) or b"|" in created:
            raise Damaged(raw)
        try:
            return cls(name.decode("utf-8"), rootfs.decode("utf-8"), created)
        except UnicodeDecodeError as error:
            raise Damaged(raw) from error


class Table:
    def __init__(self, db):
        self._stream = io.BufferedReader(io.FileIO(db, "r"), 32768)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()

    def __iter__(self) -> Iterator[Image]:
        while raw := self._stream.readline():
            try:
                yield Image.parse(raw)
            except Damaged:
                continue

    def first(self, name) -> Optional[Image]:
        for image in self:
            if image.name == name:
                return image
        return None


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        table = Table(db)
    except FileNotFoundError:
        return None
    with table:
        image = table.first(name)
    return None if image is None else image.rootfs
