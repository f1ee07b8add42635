"""M2.5: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.reproduction import Reproduction, reproduces

__all__ = ["REPRODUCTIONS"]

Find = Callable[[str, str], str | None]
_DEMO = b"demo|/images/demo/rootfs|2026-01-01T10:00:00\n"
_OLD = b"demo-old|/images/old/rootfs|2026-01-01T10:00:00\n"
_PATH = "/images/demo/rootfs"


def _search(key: str, *tries: dict[str, object]) -> Reproduction:
    """Return a search in a table, for the requirement of that key."""

    @reproduces(key, right="{path!r}", wanted={"path": _PATH}, tries=tries, shrinks="lines")
    def search(find_image_by_name: Find, *, lines: list[bytes] | None = [_OLD, _DEMO], name: str = "demo") -> None:
        from pathlib import Path

        if lines is not None:
            Path("images.db").write_bytes(b"".join(lines))
        print(repr(find_image_by_name("images.db", name)))

    return search


finds = _search("finds")
none = _search(
    "none",
    {"name": "nosuch", "path": None},
    {"lines": [], "path": None},
    {"lines": None, "path": None},
)
exact = _search(
    "exact",
    {"name": "Demo", "path": None},
    {"name": "demo ", "path": None},
    {"name": "em", "path": None},
    {"name": "d.mo", "path": None},
)
path = _search(
    "path",
    {"lines": [b"demo| /a path with blanks |2026-01-01T10:00:00\n"], "path": " /a path with blanks "},
    {"lines": ["demo|/home/jörg/größe|2026-01-01T10:00:00\n".encode()], "path": "/home/jörg/größe"},
)
damaged = _search(
    "damaged",
    {"lines": [b"torn|/images/4\n", b"\n", _DEMO], "path": _PATH},
    {"lines": [b"demo|/images/1\n", _DEMO], "path": _PATH},
    {"lines": [b"demo|/images/1|now|more\n", _DEMO], "path": _PATH},
    {"lines": [b"demo|/images/1|\n", _DEMO], "path": _PATH},
    {"lines": [b"\xff\xfe no text\n", _DEMO], "path": _PATH},
    {"lines": [b"de\xffmo|/images/1|now\n", _DEMO], "path": _PATH},
    {"lines": [b"x\rdemo|/images/1|now\n", _DEMO], "path": _PATH},
    {"lines": [b"demo|/images/demo/rootfs|now"], "path": _PATH},
)
first = _search("first", {"lines": [_DEMO, b"demo|/images/a/rootfs|2026-01-02T10:00:00\n"], "path": _PATH})


@reproduces("anew", right="'/images/1'\n'/images/2'\n'/images/3'\nNone\n'/images/1'")
def anew(find_image_by_name: Find) -> None:
    import os
    from pathlib import Path

    table = Path("images.db")
    table.write_text("demo|/images/1|now\n")
    print(repr(find_image_by_name("images.db", "demo")))
    Path("other").write_text("demo|/images/2|now\n")
    then = os.stat("other")
    os.replace("other", "images.db")
    print(repr(find_image_by_name("images.db", "demo")))
    table.write_text("demo|/images/3|now\n")
    os.utime("images.db", ns=(then.st_atime_ns, then.st_mtime_ns))  # as long as before, and as old
    print(repr(find_image_by_name("images.db", "demo")))
    table.unlink()
    print(repr(find_image_by_name("images.db", "demo")))
    table.write_text("demo|/images/1|now\n")
    print(repr(find_image_by_name("images.db", "demo")))


@reproduces(
    "reads",
    right="{path!r}\nopened for more than reading: []\nother programs: []\nleft open: 0\nin the folder: ['images.db']",
    wanted={"path": _PATH},
    tries=({"name": "nosuch", "path": None},),
)
def reads(find_image_by_name: Find, *, name: str = "demo") -> None:
    import os
    import sys
    from pathlib import Path

    Path("images.db").write_text("demo|/images/demo/rootfs|now\n" + "x|/y|z\n" * 10_000)
    opened, programs = [], []

    def note(event: str, details: tuple[object, ...]) -> None:  # Python says what it is about to do (sys.addaudithook)
        if event == "open" and int(str(details[2])) & (os.O_WRONLY | os.O_RDWR):
            opened.append(details[0])
        elif event in ("os.fork", "os.system", "os.posix_spawn", "subprocess.Popen"):
            programs.append(event)

    before = len(os.listdir("/proc/self/fd"))
    sys.addaudithook(note)
    found = find_image_by_name("images.db", name)
    print(repr(found))
    print("opened for more than reading:", opened)
    print("other programs:", programs)
    print("left open:", len(os.listdir("/proc/self/fd")) - before)
    print("in the folder:", os.listdir("."))


REPRODUCTIONS = (finds, none, exact, path, damaged, first, anew, reads)
