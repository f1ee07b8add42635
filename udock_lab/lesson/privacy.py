"""What an output must not tell of the machine it was made on: names of people, folders and hosts."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from functools import cache

__all__ = ["found_in", "without"]


@cache
def _private() -> re.Pattern[str]:
    """Return a pattern for a folder of a person, a temporary folder, this user's home, or this machine's name."""
    host = socket.gethostname()
    names = [rf"\b{re.escape(host)}\b"] if len(host) > 3 and host != "localhost" else []
    own = os.path.expanduser("~").rstrip("/")
    places = [re.escape(f"{place}/") for place in (own, tempfile.gettempdir()) if place not in ("", "/")]
    return re.compile("|".join([r"/home/\w+", r"/root/", r"/tmp/", r"/Users/\w+", *places, *names]))


def found_in(text: str) -> str | None:
    """Return the first piece of ``text`` that tells where it was made, None if nothing does."""
    match = _private().search(text)
    return match.group() if match else None


def without(text: str, home: str = "") -> str:
    """Return ``text`` with the mdock home ``home`` as ``~/.mdock``; leave out temporary folders and the host's name."""
    if home:
        text = text.replace(home, "~/.mdock")
    temporary = re.escape(tempfile.gettempdir())
    text = re.sub(rf"(?:{temporary}|/tmp)/[\w.-]+", "(scratch)", text)
    own = os.path.expanduser("~").rstrip("/")
    if own not in ("", "/"):
        text = text.replace(f"{own}/", "~/")
    host = socket.gethostname()
    return re.sub(rf"\b{re.escape(host)}\b", "host", text) if len(host) > 3 and host != "localhost" else text
