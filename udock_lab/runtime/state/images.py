"""The table of images: what happens to ``images.db``.

One line an image::

    image_name|rootfs_path|timestamp

A line that does not parse is kept.
"""

from __future__ import annotations

import os

from udock_lab.errors import NotFound, UsageError
from udock_lab.model import Image
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.tables import (
    Fingerprint,
    append_line,
    fingerprint,
    is_settled,
    open_plain,
    replace_lines,
)

__all__ = [
    "KnownImages",
    "check_image_name",
    "drop_image",
    "find_image_by_name",
    "format_image_line",
    "list_images",
    "lookup",
    "no_such_image",
    "parse_image_line",
    "record_image",
]

_RULE = "A name has 1 to 64 characters: an ASCII letter, then letters, digits, '-' and '_'. For instance: demo"


# -- names and lines -----------------------------------------------------------------------------------


def check_image_name(name: str) -> str:
    """Return ``name`` if an image may be called so; UsageError with the rule and an example otherwise."""
    if not _is_name(name):
        raise UsageError(f"{_shown(name)} is not an image name.", _RULE)
    if _looks_like_id(name):
        raise UsageError(f"'{name}' looks like a container id, so no image may be called that.", _RULE)
    return name


def _is_name(name: str) -> bool:
    rest = name.replace("-", "").replace("_", "")
    return 1 <= len(name) <= 64 and name.isascii() and name[0].isalpha() and rest.isalnum()


def _looks_like_id(name: str) -> bool:
    return name[0] == "c" and name[1:].isdigit()


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 80 else f"{name[:40]!r}... ({len(name)} characters)"


def parse_image_line(line: bytes) -> Image | None:
    """Return the image on one line of images.db, or None when it is not a record.

    Blanks around a field are no part of it.
    """
    try:
        fields = [field.strip() for field in line.decode("utf-8", "surrogateescape").split("|")]
    except ValueError:
        return None
    if len(fields) != 3 or not _is_name(fields[0]) or not fields[1] or not _is_time(fields[2]):
        return None
    return Image(name=fields[0], rootfs=fields[1], created=fields[2])


def _is_time(text: str) -> bool:
    """Return whether it begins as ISO 8601 does. A line torn in its last field is no record."""
    date, clock = text[:10], text[11:19]
    return (
        text.isascii()
        and len(text) >= 19
        and text[10] in "T "
        and (date[4] + date[7] + clock[2] + clock[5]) == "--::"
        and (date[:4] + date[5:7] + date[8:] + clock[:2] + clock[3:5] + clock[6:]).isdigit()
    )


def format_image_line(image: Image) -> bytes:
    """Return the line (with its newline) that says this image; raise UsageError for a path that a line cannot hold."""
    if any(character in image.rootfs for character in "|\n\0") or image.rootfs != image.rootfs.strip():
        raise UsageError(
            f"The path {image.rootfs!r} cannot stand in images.db, where '|' and newline separate fields.",
            "Choose another home: export MDOCK_HOME=/some/folder",
        )
    return f"{image.name}|{image.rootfs}|{image.created}\n".encode("utf-8", "surrogateescape")


# -- reading -------------------------------------------------------------------------------------------


def find_image_by_name(db_path: str, name: str) -> Image:
    """Find the image called exactly ``name`` (case-sensitive; the first one counts) and see that it is there.

    Lines that do not parse are passed over. Raises NotFound, each with its own words: no database yet, no
    such image, or an image whose root file system has vanished; StorageError when the database is unreadable.
    """
    image = lookup(db_path, name)
    if image is None:
        raise no_such_image(db_path, name)
    return _with_its_files(image)


def _with_its_files(image: Image) -> Image:
    """Return the image; NotFound where its root file system has vanished."""
    name = image.name
    try:
        os.stat(f"{image.rootfs}/.")
    except PermissionError as error:
        raise storage_error(error, image.rootfs) from error
    except OSError:
        again = "mdock demo" if name == "demo" else f"mdock build --force {name} DIRECTORY"
        raise NotFound(
            f"Image '{name}' is recorded, but its root file system {image.rootfs} is gone.",
            f"Build it again with: {again}",
        ) from None
    return image


class KnownImages:
    """The table of images as it was read last; it is read again when its status has changed (stat(2)).

    ``corrupt``: its lines that are no record.
    """

    def __init__(self, db_path: str) -> None:
        self._path = db_path
        self._seen: Fingerprint | None = None
        self._settled = False
        self._images: dict[str, Image] = {}
        self.corrupt: list[bytes] = []

    def find(self, name: str) -> Image:
        """Find an image as :func:`find_image_by_name` does, with the same errors."""
        image = self._known().get(name)
        return find_image_by_name(self._path, name) if image is None else _with_its_files(image)

    def _known(self) -> dict[str, Image]:
        """Return the images of the table as it is now; none where that cannot be told without reading it again."""
        try:
            info = os.stat(self._path)
        except OSError:
            return {}
        now, settled = fingerprint(info), is_settled(info)
        if now != self._seen or (settled and not self._settled):
            images, self.corrupt = list_images(self._path)
            self._images = {image.name: image for image in images}
            self._seen, self._settled = now, settled
            return self._images
        return self._images if self._settled else {}


def lookup(db_path: str, name: str) -> Image | None:
    """Return the record alone. Most lines are passed over by one search for the name's bytes."""
    key = name.encode("utf-8", "surrogatepass")
    try:
        with open(open_plain(db_path), "rb") as file:
            for line in file:
                if key in line:
                    image = parse_image_line(line)
                    if image is not None and image.name == name:
                        return image
    except FileNotFoundError:
        raise NotFound(
            "No images yet: there is no images.db.",
            "Make the image 'demo' with: mdock demo\nMake one of your own with: mdock build NAME DIRECTORY",
        ) from None
    except OSError as error:
        raise storage_error(error, os.path.dirname(db_path)) from error
    return None


def no_such_image(db_path: str, name: str, *, to_use: bool = True) -> NotFound:
    """Name the nearest image, unless it was to be removed."""
    from udock_lab.text.nearest import nearest

    hints = []
    names = [image.name for image in list_images(db_path)[0]]
    near = nearest(name, names) or next((n for n in names if n.lower() == name.lower()), None)
    if name == "demo" and to_use:
        hints.append("Make it with: mdock demo")
    if near and to_use:
        hints.append(f"Did you mean '{near}'?")
    if name and _looks_like_id(name):
        hints.append(
            f"{name} looks like a container's id. One more program in a running container: mdock exec {name} PROGRAM"
        )
    hints.append("List images with: mdock images")
    if not names and name != "demo" and to_use:
        hints.append("Make the image 'demo' with: mdock demo")
    shown = f"'{name}'" if name.isprintable() and len(name) <= 80 else _shown(name)
    return NotFound(f"Image {shown} not found", "\n".join(hints))


def list_images(db_path: str) -> tuple[list[Image], list[bytes]]:
    """Return every image (the first of each name), and the lines that are no record, blank ones left out.

    A missing database has neither. Raises StorageError when it cannot be read.
    """
    images: dict[str, Image] = {}
    corrupt: list[bytes] = []
    try:
        with open(open_plain(db_path), "rb") as file:
            for line in file:
                image = parse_image_line(line)
                if image is not None:
                    images.setdefault(image.name, image)
                elif line.strip():
                    corrupt.append(line.rstrip(b"\n"))
    except FileNotFoundError:
        pass  # nothing was built yet
    except OSError as error:
        raise storage_error(error, os.path.dirname(db_path)) from error
    return list(images.values()), corrupt


# -- writing -------------------------------------------------------------------------------------------


def record_image(home: Home, name: str, line: bytes) -> None:
    """Put the line in the place of the first one of that name, or at the end. The lock is held."""
    if not any(image.name == name for image in list_images(home.images_db)[0]):
        append_line(home.images_db, line)
        return
    done = False

    def renew(old: bytes) -> bytes:
        nonlocal done
        image = parse_image_line(old)
        if done or image is None or image.name != name:
            return old
        done = True
        return line.rstrip(b"\n")

    replace_lines(home.images_db, renew)


def drop_image(home: Home, name: str) -> None:
    """Drop every line of that name; the rest stays byte for byte. The lock is held."""
    replace_lines(home.images_db, lambda line: None if _names(line, name) else line)


def _names(line: bytes, name: str) -> bool:
    image = parse_image_line(line)
    return image is not None and image.name == name
