"""How a scene gets into the sandbox: the module it stands in travels as code, the call of it as a line of source.

A scene is a function of a judge's ``scenes.py``. It takes the learner's functions first, in the order of the
exercise, then values by name, and returns plain data::

    def one_program(launch, *, argv):
        return said(launch, argv)

It runs in the learner's interpreter, which their answer may have changed in any way: whatever a scene says is
the learner's word. What counts is what the kernel saw (evidence.py), or what a referee saw that never loaded the
answer (referee.py).
"""

from __future__ import annotations

import inspect
import marshal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

__all__ = ["PLAY", "program"]

# Runs inside the sandbox. The names of the scene and of the solution are each in a module of their own.
PLAY = """
def __play(module, name, functions, values):
    import marshal, types
    from udock_lab.grading.inside import show_lines
    path, package, code, source = module
    show_lines(path, source)
    scenes = types.ModuleType("scenes")
    scenes.__file__, scenes.__package__ = path, package
    exec(marshal.loads(code), vars(scenes))
    return getattr(scenes, name)(*functions, **values)
"""


def program(
    scene: Callable[..., object], functions: Sequence[str], values: Mapping[str, object], *, apart: bool = False
) -> tuple[str, dict[str, object]]:
    """Return source that plays a scene, and the names that it uses; its result is what the scene returns.

    With ``apart`` the scene gets ``__load`` in place of the functions, which calls for them (referee.py).
    """
    given = "__load" if apart else ", ".join(functions)
    call = f"__value__ = __play(__module, __scene, [{given}], __values)\n"
    names: dict[str, object] = {
        "__module": _module(scene.__module__),
        "__scene": scene.__name__,
        "__values": dict(values),
    }
    return PLAY + call, names


@lru_cache
def _module(name: str) -> tuple[str, str, bytes, str]:
    """Return a module as the sandbox gets it: its file, its package, its code and its source."""
    module = sys.modules[name]
    path = inspect.getsourcefile(module)
    assert path is not None, name
    source = Path(path).read_text()
    return path, module.__package__ or "", marshal.dumps(compile(source, path, "exec")), source
