"""One expression."""


def find_image_by_name(d, n):
    try:
        with open(d, "rb") as f:
            return next(
                (
                    p[1]
                    for l in f
                    for p in [(l[:-1] if l[-1:] == b"\n" else l).decode(errors="surrogateescape").split("|")]
                    if len(p) == 3 and all(p) and p[0] == n
                ),
                None,
            )
    except FileNotFoundError:
        return None
