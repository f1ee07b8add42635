"""Everything known of a container, or of an image, by its name."""

from __future__ import annotations

from udock_lab.errors import UsageError
from udock_lab.model import Inspection
from udock_lab.model.value import fields
from udock_lab.runtime.dockernames import container_fields, image_fields
from udock_lab.runtime.looking import look_up, records
from udock_lab.runtime.state import containers, resources
from udock_lab.runtime.state.extras import load_extra, load_spec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name
from udock_lab.runtime.unsaid import Unsaid

__all__ = ["inspect"]


def inspect(home: Home, unsaid: Unsaid, name: str) -> Inspection:
    """Return what is known of the container with this id, or of the image of this name."""
    try:
        containers.check_id(name)
    except UsageError:
        return _inspect_image(home, unsaid, name)
    container = look_up(home, name)
    data: dict[str, object] = {"id": name, "state": container.state, "alive": container.alive}
    data["elsewhere"] = container.elsewhere or None
    data |= {"record": fields(container.record), "uptime_seconds": container.uptime}
    data["isolation"] = container.isolation.value if container.isolation else None
    data["spec"] = load_extra(home, name, "spec")
    data["steps"] = load_extra(home, name, "steps")
    data["resources"] = resources.shown_of(home, name)
    data["log"] = log = home.container_log(name)
    data |= container_fields(container, load_spec(home, name), log)
    return Inspection(kind="container", data=data)


def _inspect_image(home: Home, unsaid: Unsaid, name: str) -> Inspection:
    image = find_image_by_name(home.images_db, name)
    users = [record.id for record in records(home, unsaid) if record.image == name]
    return Inspection(kind="image", data=fields(image) | {"used_by": users} | image_fields(image))
