"""What this machine permits, as ``mdock doctor`` found it."""

from __future__ import annotations

from udock_lab.model import (
    DoctorReport,
)
from udock_lab.text.columns import columns, padded
from udock_lab.text.terminal import printable

__all__ = ["doctor_text", "settings_line"]


def doctor_text(report: DoctorReport) -> str:
    """Show the rung of the ladder, then each feature that was tried."""
    lines = [f"Rung {printable(report.rung)}: {printable(report.summary)}", ""]
    names = [printable(f.name) for f in report.features]
    width = max(map(columns, names), default=0)
    for feature, name in zip(report.features, names, strict=True):
        lines.append(f"  {'yes' if feature.works else 'NO ':3}  {padded(name, width)}  {printable(feature.detail)}")
        if not feature.works and feature.remedy:
            lines.append(f"       {' ' * width}  -> {printable(feature.remedy)}")
    if report.settings:
        lines += ["", settings_line(report)]
    return "\n".join(lines)


def settings_line(report: DoctorReport) -> str:
    """Say in one line what the home is set to."""
    found = ", ".join(f"{printable(name)} {'on' if value else 'off'}" for name, value in report.settings)
    return f"The defaults of this home (mdock config): {found}"
