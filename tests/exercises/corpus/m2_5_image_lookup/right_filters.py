"""map, filter and islice: nothing is read before it is asked for."""

import contextlib
import itertools


def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(db, "rb"))
        except FileNotFoundError:
            return None
        fields = map(lambda line: line.rstrip(b"\n").split(b"|"), file)
        records = filter(lambda parts: len(parts) == 3 and all(parts), fields)
        mine = itertools.islice((path for image, path, _ in records if image == wanted), 1)
        return next(map(bytes.decode, mine), None)
