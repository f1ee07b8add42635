"""``--format`` of ``ps`` and ``images``: one line an entry, or a table, from the fields that docker has."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from udock_lab.commands.results import Text
from udock_lab.commands.templates import Template
from udock_lab.display.tables import table
from udock_lab.model import Container, Image
from udock_lab.text.amounts import uptime
from udock_lab.text.columns import cut
from udock_lab.text.strictjson import spelled, strict_json
from udock_lab.text.terminal import printable

__all__ = ["format_containers", "format_images"]

_COMMAND_WIDTH = 32  # columns, as in the table of ps
_CONTAINER_HEADS = {
    "ID": "CONTAINER ID",
    "Names": "NAMES",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "State": "STATE",
    "Status": "STATUS",
    "Pid": "PID",
    "Uptime": "UPTIME",
    "FinishedAt": "FINISHED AT",
    "ExitCode": "EXIT",
    "Isolation": "ISOLATION",
    "Ports": "PORTS",
    "Networks": "NETWORKS",
    "Mounts": "MOUNTS",
    "Labels": "LABELS",
}
_IMAGE_HEADS = {
    "ID": "IMAGE ID",
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Name": "IMAGE",
    "CreatedAt": "CREATED AT",
    "CreatedSince": "CREATED",
    "Rootfs": "ROOTFS",
}


def format_containers(containers: Sequence[Container], template: str, *, whole: bool = False) -> Text:
    """Return the lines of ``ps --format``; raise UsageError for an unknown field.

    ``whole``: commands in full length.
    """
    return _formatted([_container_row(container, whole) for container in containers], template, _CONTAINER_HEADS)


def format_images(images: Sequence[Image], template: str) -> Text:
    """Return the lines of ``images --format``; raise UsageError for an unknown field."""
    return _formatted([_image_row(image) for image in images], template, _IMAGE_HEADS)


def _formatted(rows: list[dict[str, str]], text: str, heads: Mapping[str, str]) -> Text:
    if text == "json":
        return Text("\n".join(strict_json(row) for row in rows))
    as_table = text.startswith("table ")
    template = Template(text.removeprefix("table ").lstrip() if as_table else text)
    head = template.render(heads)  # tells of an unknown field where there is no row, too
    lines = [template.render(row) for row in rows]
    if as_table:
        cells = [line.replace("\n", " ").split("\t") for line in (head, *lines)]
        width = max(map(len, cells))
        filled = [row + [""] * (width - len(row)) for row in cells]
        return Text(table(filled[0], filled[1:]))
    return Text("\n".join(lines))


def _container_row(container: Container, whole: bool) -> dict[str, str]:
    record, command = container.record, printable(spelled(container.command))
    return {
        "ID": record.id,
        "Names": record.id,
        "Image": record.image,
        "Command": command if whole else cut(command, _COMMAND_WIDTH),
        "CreatedAt": printable(record.start_time),
        "RunningFor": _ago(record.start_time),
        "State": container.state,
        "Status": _status(container),
        "Pid": str(record.pid) if container.alive else "0",
        "Uptime": uptime(container.uptime) if container.alive else "",
        "FinishedAt": printable(record.end_time or ""),
        "ExitCode": "" if record.exit_code is None else str(record.exit_code),
        "Isolation": container.isolation.value if container.isolation else "",
        "Ports": "",  # a container shares the host's network and sees the host's files: nothing is published or mounted
        "Networks": "host",
        "Mounts": "",
        "Labels": "",
    }


def _image_row(image: Image) -> dict[str, str]:
    return {
        "ID": image.name,
        "Repository": image.name,
        "Tag": "latest",
        "Name": image.name,
        "CreatedAt": printable(image.created),
        "CreatedSince": _ago(image.created),
        "Rootfs": printable(image.rootfs),
    }


def _status(container: Container) -> str:
    """Return the status as docker words it: ``Up 5 minutes``, ``Exited (0) 2 hours ago``."""
    record = container.record
    if container.alive:
        return f"Up {_lasting(container.uptime or 0.0)}" + (" (stopping)" if container.state == "stopping" else "")
    if record.exit_code is None:
        return container.state
    ago = _ago(record.end_time or "")
    return f"Exited ({record.exit_code})" + (f" {ago}" if ago else "")


def _ago(written: str) -> str:
    """Return ``5 minutes ago``, from a local ISO 8601 time; empty where it is none."""
    try:
        then = time.mktime(time.strptime(written[:19].replace(" ", "T"), "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return ""
    return f"{_lasting(max(0.0, time.time() - then))} ago"


def _lasting(seconds: float) -> str:
    """Return a time span in docker's words."""
    minutes, hours = seconds / 60, round(seconds / 3600)
    if seconds < 2:
        return "1 second" if seconds >= 1 else "Less than a second"
    if minutes < 1:
        return f"{int(seconds)} seconds"
    if minutes < 2:
        return "About a minute"
    if minutes < 60:
        return f"{int(minutes)} minutes"
    if hours == 1:
        return "About an hour"
    for size, unit, most in ((1, "hours", 48), (24, "days", 336), (168, "weeks", 1440), (720, "months", 17520)):
        if hours < most:
            return f"{hours // size} {unit}"
    return f"{hours // 8760} years"
