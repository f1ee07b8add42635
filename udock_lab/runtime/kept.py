"""The runtimes of this process, one a home: what a lesson set for its own holds for ``%mdock``, too."""

from __future__ import annotations

from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.state.home import Home

__all__ = ["close_runtimes", "runtime_here", "use_runtime"]

_runtimes: dict[str, Runtime] = {}


def runtime_here() -> Runtime:
    """Return the runtime of the home that ``$MDOCK_HOME`` names at this moment."""
    path = Home().path
    if path not in _runtimes:
        _runtimes[path] = Runtime(path)
    return _runtimes[path]


def use_runtime(runtime: Runtime) -> None:
    """Make this one the runtime of its home from now on."""
    _runtimes[runtime.home.path] = runtime


def close_runtimes() -> None:
    """Close and forget them all; detached containers run on."""
    while _runtimes:
        _runtimes.popitem()[1].close()
