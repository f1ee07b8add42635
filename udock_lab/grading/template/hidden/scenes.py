"""What is tried when they hand in."""

from collections.abc import Callable


def killed(ends_well: Callable[[list[str]], object], *, signals: list[int]) -> list[str]:
    """Return what is said of programs that these signals end."""
    return [repr(ends_well(["/bin/sh", "-c", f"kill -{number} $$"])) for number in signals]
