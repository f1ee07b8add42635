#!/usr/bin/env python3
"""Whether a tag may be released: ``scripts/check_release.py v0.1.0``.

The tag is the version of ``udock_lab/version.py``, ``CHANGELOG.md`` has that version with its date on top, and
``CITATION.cff`` names it. Prints what is missing, and how to mend it, and ends with 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version() -> str:
    """Return the package's version, without importing it."""
    found = re.search(r'^__version__ = "(.+)"$', (ROOT / "udock_lab" / "version.py").read_text(), re.MULTILINE)
    assert found
    return found[1]


def missing(tag: str, changelog: str, citation: str) -> Iterator[str]:
    """Yield what keeps a tag from being released."""
    ours = version()
    if tag != f"v{ours}":
        yield f"The tag is {tag}, and udock_lab/version.py says {ours}: tag v{ours}, or change the version."
    first = re.search(r"^## \[(.+?)\](.*)$", changelog, re.MULTILINE)
    if not first or first[1] != ours or not re.fullmatch(r" - \d{4}-\d\d-\d\d", first[2]):
        yield f"CHANGELOG.md does not begin with this version: write `## [{ours}] - YYYY-MM-DD` in place of Unreleased."
    if not re.search(rf"^version: {re.escape(ours)}$", citation, re.MULTILINE):
        yield f"CITATION.cff names another version: write `version: {ours}`."


def main() -> int:
    """Check the tag that was named."""
    if len(sys.argv) != 2:
        print(f"Name the tag: scripts/check_release.py v{version()}", file=sys.stderr)
        return 2
    said = list(missing(sys.argv[1], (ROOT / "CHANGELOG.md").read_text(), (ROOT / "CITATION.cff").read_text()))
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
