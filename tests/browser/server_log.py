"""What a Jupyter server and its kernels say, and what of it is a complaint."""

from __future__ import annotations

import re

__all__ = ["complaints_in"]

# A kernel that is shut down while it begins, answers or is asked: words of ipykernel itself, after whatever we did.
SHUT_DOWN = (
    re.compile(
        r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*zmq\.error\.ZMQError: Socket operation on non-socket"
    ),
    re.compile(
        r"Exception ignored in: <coroutine object Kernel\.[^\n]*\nTraceback \(most recent call last\):\n(?:[ \t].*\n)*"
        r"RuntimeError: Event loop is closed"
    ),
    re.compile(r"Task was destroyed but it is pending!\s+task: <Task pending [^\n]*?/(?:ipykernel|tornado|zmq)/[^\n]*"),
)


def complaints_in(log: str) -> list[str]:
    """The lines of a server's log that tell of an error, but for those of a kernel that was shut down."""
    for own in SHUT_DOWN:
        log = own.sub(lambda found: found[0] if "udock_lab" in found[0] else "", log)
    return [line for line in log.splitlines() if "Traceback" in line or "Task was destroyed" in line]
