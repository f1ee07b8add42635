"""A cell neither copies the notebook kernel (fork) nor replaces it (exec): a guard on what Python audits (PEP 578).

A forked kernel would be a second kernel that answers the same messages; a replaced one would be gone. What starts
another program and leaves the kernel alone passes: ``subprocess``, ``os.posix_spawn``, ``os.system``, multiprocessing,
and pexpect, by which IPython does ``!ls``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from udock_lab.errors import MdockError

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["guard_kernel", "let_go"]

_COPIES = "would copy the whole notebook kernel: two kernels would answer your next cell."
_REPLACES = "would put another program in the place of the notebook kernel, and all your variables would be gone."
_HINT = "Write %%sandbox in the first line of the cell: there, code may fork and exec."

_EVENTS = {"os.fork": _COPIES, "os.forkpty": _COPIES, "pty.spawn": _COPIES, "os.exec": _REPLACES}
_LOOKUP = "ctypes.dlsym"  # a C library's function: libc.fork()
_C_FUNCTIONS = dict.fromkeys(("fork", "vfork", "forkpty", "daemon"), _COPIES) | dict.fromkeys(
    ("execl", "execle", "execlp", "execv", "execve", "execveat", "execvp", "execvpe", "fexecve"), _REPLACES
)
_WRAPPERS = ("os", "pty", "ctypes")  # functions in there do it for whoever called them
# Who may: each execs at once in the child, or sees to it that the child never answers for the kernel.
_ALLOWED = ("multiprocessing.popen_fork", "multiprocess.popen_fork", "joblib.externals.loky", "loky", "pexpect",
            "ptyprocess")  # fmt: skip

_guarded = {"installed": False, "pid": 0}


def guard_kernel() -> None:
    """Make a fork or an exec of this very process raise from now on; what multiprocessing forked is left alone.

    An audit hook cannot be taken back, so it looks at a switch.
    """
    _guarded["pid"] = os.getpid()
    if not _guarded["installed"]:
        _guarded["installed"] = True
        sys.addaudithook(_on_audit)


def let_go() -> None:
    """Allow everything again from now on."""
    _guarded["pid"] = 0


def _on_audit(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS:
        _refuse_unless_allowed(event, arguments, _EVENTS[event])
    elif event == _LOOKUP and arguments[1] in _C_FUNCTIONS:
        _refuse_unless_allowed(event, arguments, _C_FUNCTIONS[str(arguments[1])])


def _refuse_unless_allowed(event: str, arguments: tuple[object, ...], consequence: str) -> None:
    if _guarded["pid"] != os.getpid():
        return
    caller, name = _who_called(event, arguments)
    if caller is None or str(caller.f_globals.get("__name__", "")).startswith(_ALLOWED):
        return
    if event == _LOOKUP and not _calls_at_once(caller):
        return
    raise MdockError(f"{name}() in a cell {consequence}", _HINT)


def _who_called(event: str, arguments: tuple[object, ...]) -> tuple[FrameType | None, str]:
    """Return the first frame that is no wrapper of the standard library, and the name under which it asked."""
    name = event
    if event == _LOOKUP:
        name = str(arguments[1])
    elif event == "os.exec":
        name = "os.execv" if arguments[2] is None else "os.execve"
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and (module := frame.f_globals.get("__name__")) in _WRAPPERS:
        if module != "ctypes":
            name = f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return frame, name


def _calls_at_once(caller: FrameType) -> bool:
    """Return whether a look-up of a method is a call at once.

    ``libc.fork()`` is, and not ``libc.fork.restype = c_int``, which prepares a library for the sandbox.
    """
    import dis

    code, at = caller.f_code.co_code, caller.f_lasti
    name = dis.opname[code[at]]
    return name == "LOAD_METHOD" or (sys.version_info >= (3, 12) and name == "LOAD_ATTR" and bool(code[at + 1] & 1))
