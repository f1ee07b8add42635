"""A port for a server of a test."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

__all__ = ["a_free_port"]


def a_free_port() -> int:
    """Below those that the kernel gives out by itself (ip_local_port_range, ip(7)): none of them is taken meanwhile."""
    for port in random.sample(range(12_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("of 100 ports none is free")
