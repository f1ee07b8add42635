"""What docker calls the things that mdock knows, so that docker's templates and filters find them in ``inspect``."""

from __future__ import annotations

from udock_lab.model import Container, Image
from udock_lab.runtime.child.plan import DEFAULT_ENV
from udock_lab.runtime.state.extras import Kept

__all__ = ["container_fields", "image_fields"]

_NEVER = "0001-01-01T00:00:00Z"  # docker's word for a time that has not come
_UNKNOWN = -1  # nobody learned how an orphaned container ended


def container_fields(container: Container, kept: Kept, log: str) -> dict[str, object]:
    """Return ``Id``, ``State``, ``Config`` and what else of ``docker inspect`` has a meaning here."""
    record, asked = container.record, kept.asked
    argv, env = list(asked.argv), DEFAULT_ENV | dict(asked.env)
    state = {
        "Status": container.state,
        "Running": container.alive,
        "Pid": record.pid if container.alive else 0,
        "ExitCode": record.exit_code if record.exit_code is not None else 0 if container.alive else _UNKNOWN,
        "StartedAt": record.start_time,
        "FinishedAt": record.end_time or _NEVER,
    }
    config = {
        "Image": record.image,
        "Cmd": argv,
        "Env": [] if kept.unknown else [f"{key}={value}" for key, value in env.items()],
        "WorkingDir": asked.workdir or "/",
        "Tty": asked.tty,
        "OpenStdin": asked.interactive,
    }
    return {
        "Id": record.id,
        "Name": record.id,
        "Created": record.start_time,
        "Image": record.image,
        "Path": argv[0] if argv else "",
        "Args": argv[1:],
        "State": state,
        "Config": config,
        "LogPath": log,
    }


def image_fields(image: Image) -> dict[str, object]:
    """Return ``Id``, ``RepoTags`` and ``Created``."""
    return {"Id": image.name, "RepoTags": [image.name], "Created": image.created}
