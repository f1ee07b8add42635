"""What somebody asks for."""

from __future__ import annotations

from udock_lab.errors import UsageError
from udock_lab.model.records import Image
from udock_lab.model.value import Value

__all__ = ["ContainerSpec", "Limits"]

_LARGEST_LIMIT = 2**63 - 1  # RLIM_INFINITY is 2**64 - 1; the kernel treats larger values as signed
_DEFAULTS = ("userns", "guard")  # those that are on or off, or None where something else decides
_SWITCHES = ("copy", "detach", "remove", "tty", "interactive")  # the fields of a spec that are on or off


class Limits(Value):
    """Resource limits (setrlimit(2)). All count per process, as the kernel does."""

    memory: int | None = None  # bytes of address space, RLIMIT_AS
    cpu: int | None = None  # seconds of processor time, RLIMIT_CPU
    files: int | None = None  # open file descriptors, RLIMIT_NOFILE

    def __post_init__(self) -> None:
        """Refuse what is no limit (UsageError); ``memory="64M"`` is a size."""
        values = (self.memory, self.cpu, self.files)
        if all(value is None or (type(value) is int and 0 < value < _LARGEST_LIMIT) for value in values):
            return  # plain already, which needs no import
        from udock_lab.text import arguments

        for name, value, what, example in (
            ("memory", self.memory, "a number of bytes", "memory=64 * 2**20 or memory='64M'"),
            ("cpu", self.cpu, "seconds of processor time", "cpu=2"),
            ("files", self.files, "a number of open files", "files=64"),
        ):
            if name == "memory" and isinstance(value, str):
                value = arguments.size(value)
            if value is not None:
                number = arguments.whole_number(name, value, what, example, most=_LARGEST_LIMIT - 1)
                object.__setattr__(self, name, number)


class ContainerSpec(Value):
    """What somebody asked for: the words of ``mdock run`` after parsing.

    Lists, mappings, paths and numbers become the words and pairs that they stand for; UsageError for the rest.
    """

    image: str
    argv: tuple[str, ...] = ("/bin/sh",)
    env: tuple[tuple[str, str], ...] = ()
    workdir: str | None = None
    limits: Limits = Limits()
    userns: bool | None = None  # None: as the home's default has it (``mdock config userns``)
    copy: bool = False
    detach: bool = False
    remove: bool = False
    tty: bool = False
    interactive: bool = False
    guard: bool | None = None  # refuse kill(-1), which would end the notebook; None: where there is a notebook
    layers: tuple[tuple[str, str], ...] = ()  # of isolation that are asked for by name, each with its value

    def __post_init__(self) -> None:
        """Leave what is plain, which needs no import; convert what is meant, refuse the rest."""
        given: object = self.argv
        if type(given) is list:  # as most callers write it
            object.__setattr__(self, "argv", tuple(given))
        if self._is_plain():
            return
        from udock_lab.text import arguments

        image = self.image.name if isinstance(self.image, Image) else self.image
        fields: dict[str, object] = {
            "image": arguments.text("image", image, "the name of an image", "demo"),
            "argv": arguments.words("argv", self.argv),
            "env": arguments.variables("env", self.env),
            "workdir": None if self.workdir is None else arguments.path("workdir", self.workdir),
            "layers": arguments.variables("layers", self.layers),
        }
        if not isinstance(self.limits, Limits):
            arguments.refuse("limits", self.limits, "Limits", "For instance limits=Limits(cpu=2).")
        asked = [name for name in _DEFAULTS if getattr(self, name) is not None]
        fields |= {switch: arguments.switch(switch, getattr(self, switch)) for switch in (*_SWITCHES, *asked)}
        for field_name, value in fields.items():
            object.__setattr__(self, field_name, value)
        if not self.argv:
            raise UsageError("argv is empty: there is no program to run.", 'For instance argv=["/bin/sh"].')

    def _is_plain(self) -> bool:
        return (
            type(self.image) is str
            and type(self.argv) is tuple
            and set(map(type, self.argv)) == {str}
            and _are_plain_pairs(self.env)
            and _are_plain_pairs(self.layers)
            and (self.workdir is None or type(self.workdir) is str)
            and type(self.limits) is Limits
            and {type(getattr(self, name)) for name in _DEFAULTS} <= {bool, type(None)}
            and {type(getattr(self, name)) for name in _SWITCHES} == {bool}
        )


def _are_plain_pairs(pairs: object) -> bool:
    return type(pairs) is tuple and all(
        type(pair) is tuple and [type(part) for part in pair] == [str, str] for pair in pairs
    )
