"""File names with newlines, escapes, markup and bytes that are no text."""

import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    for name in (b"a\nb", b"\xff\xfe", b"\x1b[31m", b"<script>alert(1)</script>", b"x" * 255, b"ran\n", b" ", b"\x85"):
        open(name.replace(b"/", b"|"), "wb").write(b"\xff<script>" * 100)
    sys.stdout.buffer.write(b"\xff\xfe\x1b[2J<script>alert(1)</script>\n")
    return ExitInfo(code=42)
