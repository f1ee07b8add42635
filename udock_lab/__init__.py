"""udock-lab: a Jupyter teaching kit around mdock, a small but real container runtime.

Layout, and who may import whom (imports point down only; a test reads them)::

    faces      cli  notebook  course  grading  lesson  widgets   what a person touches
                 │     └──────┬──────────┘
    middle     commands    sandbox        display                one per subcommand; results to text
                 │            │             │                    (display imports model, text and errors only)
    engine     runtime ───────┘             │
                 │                          │
    ground     linux                        │
                 └───────────► model ◄──────┘ ───► text ───► errors

``import udock_lab`` itself imports none of these: each name below is fetched when it is first asked for,
so that ``mdock --help`` is quick and a notebook pays only for what it uses.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from udock_lab.errors import (
        Conflict,
        ExecFailed,
        Interrupted,
        LauncherDied,
        LockTimeout,
        MdockError,
        NotFound,
        StepFailed,
        StorageError,
        Unsupported,
        UsageError,
    )
    from udock_lab.model import (
        Container,
        ContainerSpec,
        DoctorReport,
        ExitStatus,
        Failure,
        Image,
        Inspection,
        Isolation,
        Limits,
        Record,
        RunResult,
        Status,
        StepReport,
    )
    from udock_lab.runtime.engine import Runtime
    from udock_lab.runtime.runio import RunIO, RunOptions
    from udock_lab.runtime.started import StartedRun
    from udock_lab.version import __version__
    from udock_lab.widgets import containers_panel, process_tree, run_panel, status_decoder

__all__ = [
    "Conflict",
    "Container",
    "ContainerSpec",
    "DoctorReport",
    "ExecFailed",
    "ExitStatus",
    "Failure",
    "Image",
    "Inspection",
    "Interrupted",
    "Isolation",
    "LauncherDied",
    "Limits",
    "LockTimeout",
    "MdockError",
    "NotFound",
    "Record",
    "RunIO",
    "RunOptions",
    "RunResult",
    "Runtime",
    "StartedRun",
    "Status",
    "StepFailed",
    "StepReport",
    "StorageError",
    "Unsupported",
    "UsageError",
    "__version__",
    "containers_panel",
    "load_ipython_extension",
    "process_tree",
    "run_panel",
    "status_decoder",
    "unload_ipython_extension",
]


_BESIDE_A_SPEC = ("RunIO", "RunOptions")
_WIDGETS = ("containers_panel", "process_tree", "run_panel", "status_decoder")


def __getattr__(name: str) -> object:
    """Import the module behind a public name the first time it is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'udock_lab' has no attribute {name!r}")
    value: object
    if name == "Runtime":
        from udock_lab.commands.base import require_linux

        require_linux()
        from udock_lab.runtime.engine import Runtime as value
    elif name == "__version__":
        from udock_lab.version import __version__ as value
    elif name in _BESIDE_A_SPEC:
        from udock_lab.runtime import runio

        value = getattr(runio, name)
    elif name == "StartedRun":
        from udock_lab.runtime.started import StartedRun as value
    elif name in _WIDGETS:
        from udock_lab import widgets

        value = getattr(widgets, name)
    else:
        from udock_lab import errors, model

        value = getattr(errors if name in errors.__all__ else model, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ip: InteractiveShell) -> None:
    """Add ``%mdock``, ``%mydock``, ``%reproduce``, completion and the display of results, for ``%load_ext udock_lab``.

    Raises Unsupported, with the ways to get one, where the machine is not Linux.
    """
    from udock_lab.commands.base import require_linux

    require_linux()
    from udock_lab.grading import reproduce_magic
    from udock_lab.mydock import magic
    from udock_lab.notebook.mdock_magic import load

    load(ip)
    magic.load(ip)
    reproduce_magic.load(ip)


def unload_ipython_extension(ip: InteractiveShell) -> None:
    """Take them away again and close the runtime, for ``%unload_ext udock_lab``."""
    from udock_lab.grading import reproduce_magic
    from udock_lab.mydock import magic
    from udock_lab.notebook.mdock_magic import unload

    magic.unload(ip)
    unload(ip)
    reproduce_magic.unload(ip)
