"""What calls the learner's functions, inside the sandbox: their ``run``, or a run that is put together from parts.

The run that is put together has a process of its own between the caller and the program. That one goes into the image
and starts the program by the learner's ``run`` (or ``launch``), as they wrote it for a program without an image.
"""

from __future__ import annotations

import marshal
import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

from udock_lab.grading.containerrecord import ContainerRecord
from udock_lab.grading.inside import compiled, load, said, show_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    _Functions = Mapping[str, Sequence[Callable[..., object]]]
    _Kept = tuple[list[tuple[str, str, bool]], tuple[str, ...], tuple[str, ...]]

__all__ = ["play"]

WHOLE, START, LAUNCH = "m2_7_mdock_run", "m2_6_exec_failure", "m2_1_process_creation"


class _FaultError(Exception):
    """A function raised, or returned nothing that can be used; ``told`` is what ``said`` said of it."""

    def __init__(self, told: dict[str, object]) -> None:
        super().__init__(told.get("shown"))
        self.told = told


def play(
    place: tuple[str, str, list[str]],
    live: _Functions,
    kept: Mapping[str, _Kept],
    cells: Mapping[str, str],
) -> dict[str, object]:
    """Run a program in an image; return what ``said`` says of it, and which ``part`` that was.

    ``place``: home, image and the program's words. ``live`` functions came with the notebook, ``kept`` ones are read
    from cells that were saved: parts, futures, names. ``cells`` are quoted by tracebacks.
    """
    for cell, text in cells.items():
        show_lines(cell, text)
    home, image, argv = place
    wanted = dict(live)
    try:
        for slug, (parts, futures, names) in kept.items():
            wanted[slug] = _loaded(slug, parts, futures, names)
        if WHOLE in wanted:
            return said(wanted[WHOLE][0], home, image, argv) | {"part": WHOLE}
        from udock_lab.mydock.standin import STAND_INS  # only where something is missing

        return _put_together(home, image, argv, wanted, STAND_INS)
    except _FaultError as fault:
        return fault.told


def _loaded(
    slug: str, parts: list[tuple[str, str, bool]], futures: tuple[str, ...], names: tuple[str, ...]
) -> list[Any]:
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    told = said(lambda: load(compiled(parts, futures), namespace))
    if told["how"] == "raised":
        raise _FaultError(told | {"part": slug})
    return [namespace[name] for name in names]


def _ask(slug: str, function: Callable[..., object], *arguments: object) -> Any:
    """Call a part; return its value as plain data, or raise what it raised as a fault of this part."""
    told = said(function, *arguments)
    plain = told.get("plain")
    if not isinstance(plain, list) or not plain:
        raise _FaultError(told | {"part": slug})
    return plain[0]


def _put_together(home: str, image: str, argv: list[str], theirs: _Functions, ours: _Functions) -> dict[str, object]:
    parts = {**ours, **theirs}
    start = LAUNCH if LAUNCH in theirs and START not in theirs else START
    table = f"{home}/containers.db"
    rootfs = _ask("m2_5_image_lookup", parts["m2_5_image_lookup"][0], f"{home}/images.db", image)
    if rootfs is None:
        return {"how": "raised", "kind": "LookupError", "shown": f"Image {image!r} not found", "part": ""}
    gate, opener = os.pipe()
    news, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(opener)
        os.close(news)
        _child(gate, tell, rootfs, (start, argv), parts)
    os.close(gate)
    os.close(tell)
    container = _ask("m2_3_container_ids", parts["m2_3_container_ids"][1], table)
    begun = ContainerRecord(id=container, pid=pid, image=image, start_time=time.time())
    _ask("m2_4_metadata", parts["m2_4_metadata"][0], table, begun)
    os.write(opener, b"g")
    os.close(opener)
    with open(news, "rb") as file:
        heard = marshal.loads(file.read() or marshal.dumps(None))  # noqa: S302 - in the sandbox
    os.waitpid(pid, 0)
    if isinstance(heard, dict):
        raise _FaultError(heard)
    code, signal, errno = heard if isinstance(heard, tuple) and len(heard) == 3 else (125, None, None)
    shell_code = 128 + signal if signal else code
    _ask("m2_4_metadata", parts["m2_4_metadata"][1], table, container, "exited", time.time(), shell_code)
    return {"how": "returned", "kind": "ExitInfo", "plain": [(code, signal, errno)], "shown": "", "part": ""}


def _child(gate: int, tell: int, rootfs: str, program: tuple[str, list[str]], parts: _Functions) -> NoReturn:
    """Wait until the record is there, go into the image, start the program, tell how it ended."""
    try:
        if not os.read(gate, 1):
            os._exit(125)
        try:
            _ask("m2_2_chroot_permissions", parts["m2_2_chroot_permissions"][0], rootfs)
            start, argv = program
            ended = _ask(start, parts[start][0], argv)
        except _FaultError as fault:
            ended = fault.told
        with open(tell, "wb") as file:
            file.write(marshal.dumps(ended))
    finally:
        os._exit(0)
