"""What this machine permits."""

from __future__ import annotations

from udock_lab.model.value import Value

__all__ = ["DoctorReport", "Feature"]


class Feature(Value):
    """One thing tried for real. ``remedy`` says what to do where ``works`` is False."""

    name: str
    works: bool
    detail: str
    remedy: str = ""


class DoctorReport(Value):
    """Which rung of the ladder (A, B, C, D, E) this machine stands on, each feature tried, and the home's defaults.

    ``settings``: the name of each setting and whether it is on (``mdock config``); none without a home.
    """

    rung: str
    summary: str
    features: tuple[Feature, ...]
    settings: tuple[tuple[str, bool], ...] = ()
