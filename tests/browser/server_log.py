"""What a Jupyter server and its kernels say, and what of it is a complaint."""

from __future__ import annotations

import re

__all__ = ["complaints_in"]

# A kernel that is shut down while it begins, answers or is asked, and a page that is left while the server writes to
# it: words of ipykernel and tornado themselves, after whatever we did.
SHUT_DOWN = (
    re.compile(
        r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*zmq\.error\.ZMQError: Socket operation on non-socket"
    ),
    re.compile(
        r"Exception ignored in: <coroutine object Kernel\.[^\n]*\nTraceback \(most recent call last\):\n(?:[ \t].*\n)*"
        r"RuntimeError: Event loop is closed"
    ),
    re.compile(
        r"Task exception was never retrieved\nfuture: <Task finished [^\n]*/tornado/websocket\.py[^\n]*\n"
        r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*tornado\.iostream\.StreamClosedError: Stream is closed\n\n"
        r"During handling of the above exception, another exception occurred:\n\n"
        r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*tornado\.websocket\.WebSocketClosedError"
    ),
    re.compile(r"Task was destroyed but it is pending!\s+task: <Task pending [^\n]*?/(?:ipykernel|tornado|zmq)/[^\n]*"),
)


def complaints_in(log: str) -> list[str]:
    """The lines of a server's log that tell of an error, but for those of a kernel that was shut down, or a page left."""
    for own in SHUT_DOWN:
        log = own.sub(lambda found: found[0] if "udock_lab" in found[0] else "", log)
    return [line for line in log.splitlines() if "Traceback" in line or "Task was destroyed" in line]
