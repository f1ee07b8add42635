"""Bytes and times as a person reads them."""

from __future__ import annotations

__all__ = ["duration", "size", "uptime"]


def uptime(seconds: float | None) -> str:
    """Write seconds as HH:MM:SS; never negative, hours may pass 99."""
    whole = max(0, int(seconds or 0))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def size(count: int) -> str:
    """Write bytes in powers of 1024: ``0 B``, ``1.5 KiB``, ``12 MiB``."""
    if abs(count) < 1024:
        return f"{count} B"
    amount, units = count / 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while abs(amount) >= 1023.5 and len(units) > 1:  # would be shown as 1024: that is 1.0 of the next unit
        amount /= 1024
        del units[0]
    unit = units[0]
    return f"{amount:.1f} {unit}" if abs(amount) < 9.95 else f"{amount:.0f} {unit}"


def duration(nanoseconds: int) -> str:
    """Write the time between two moments: ``12 µs``, ``54.0 ms``, ``1.20 s``."""
    if nanoseconds < 10_000_000:
        return f"{nanoseconds / 1000:,.0f} µs"
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds < 1_000_000_000 else f"{nanoseconds / 1e9:.2f} s"
