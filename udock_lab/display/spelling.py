"""A traced call as a program writes it: ``waitpid(child 1, 0)`` where the kernel's name is wait4.

strace shows the kernel's names and arguments. A learner wrote ``os.fork()``, ``os.waitpid(pid, 0)``, ``os._exit(3)``;
the kernel's own words stay where hover, focus and ``full`` show them.
"""

from __future__ import annotations

import re

from udock_lab.display.calls import note_of
from udock_lab.model import SystemCall
from udock_lab.text.terminal import printable

__all__ = ["name_of", "result_of", "spelled"]

LONGEST = 72  # characters of what is read or written
NO_RETURN = frozenset(("exit", "exit_group"))
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}( /\* \d+ vars? \*/)?")
_WAIT = re.compile(r"([^,]*), (.*), ([^,]*), ([^,]*)")
_OPEN = re.compile(r'AT_FDCWD, ("(?:[^"\\]|\\.)*"(?:\.\.\.)?), (.*)')
_READ = re.compile(r'(\d+), ("(?:[^"\\]|\\.)*"(?:\.\.\.)?), (\d+)')
_EXITED = re.compile(r"WEXITSTATUS\(s\) == (\d+)")
_SIGNALED = re.compile(r"WTERMSIG\(s\) == (\w+)")
_PAIR = re.compile(r"\[(\d+), (\d+)\]")
_WHOLE = re.compile(r"(?:[^\\]|\\.)*")
_NUMBER = re.compile(r"(?<![\w.\\])\d+(?![\w.])")


def name_of(call: SystemCall, *, known: bool = False) -> str:
    """Return the name by which a program calls it. ``known``: lines are, so that Python's own end is no ``_exit``."""
    if "CLONE_THREAD" in call.arguments:
        return "new thread"
    if call.name == "exit_group" and known and not call.line:
        return "exit"
    note = note_of(call.name)
    return (note.library if note is not None else "") or call.name


def spelled(call: SystemCall, roles: dict[int, str], *, known: bool = False) -> str:
    """Write a call without addresses, with roles for pids: ``fork()``, ``waitpid(child 1, 0)``."""
    name, arguments = name_of(call, known=known), _arguments(call)
    arguments = _ADDRESS.sub(lambda found: "environment" if found[1] else "...", arguments)
    arguments = re.sub(r"si_pid=(\d+)", lambda found: f"si_pid={roles.get(int(found[1]), found[1])}", arguments)
    if call.name in ("read", "write", "pread64", "pwrite64"):  # whoever prints a pid prints another one the next time
        head, quote, text = arguments.partition('"')
        return printable(f"{name}({head}{quote}{_with_roles(_cut(text), roles)})")
    arguments = re.sub(r"^(\d+)(?=,|$)", lambda found: roles.get(int(found[1]), found[1]), arguments)
    if call.name == "waitid":
        arguments = re.sub(r",(?=\S)", ", ", arguments)
    return printable(f"{name}({arguments})")


def _arguments(call: SystemCall) -> str:
    """Return the arguments as the program gave them, as far as the kernel's differ."""
    given = call.arguments
    if call.name.startswith("clone") and re.search(r"child_stack=|flags=|parent_tid", given):
        return ""
    if call.name == "wait4" and (found := _WAIT.fullmatch(given)) and found[4] == "NULL":
        return f"{found[1]}, {found[3]}"
    if call.name == "openat" and (found := _OPEN.fullmatch(given)):
        return f"{found[1]}, {found[2].replace('|O_CLOEXEC', '')}"
    if name_of(call) != call.name:  # linkat, mkdirat, renameat2: the C library fills in where the path begins
        given = given.replace("AT_FDCWD, ", "")
    if call.name == "prlimit64":
        return given.removeprefix("0, ")
    if call.name in ("pipe", "pipe2") and not call.errno:
        return ""
    if call.name in ("read", "write") and not call.errno and (found := _READ.fullmatch(given)):
        return f"{found[1]}, {found[3] if call.name == 'read' else found[2]}"
    return given


def _cut(text: str) -> str:
    """Leave off what is written beyond some characters, as strace does; never within an escape."""
    if len(text) <= LONGEST:
        return text
    kept = _WHOLE.match(text[:LONGEST])
    return f'{kept[0] if kept else ""}"...'


def _with_roles(text: str, roles: dict[int, str]) -> str:
    """Put ``<child 1>`` in the place of a pid: in angle brackets, for these are not the bytes themselves."""

    def named(found: re.Match[str]) -> str:
        role = roles.get(int(found[0])) if len(found[0]) < 12 else None
        return f"<{role}>" if role else found[0]

    return _NUMBER.sub(named, text)


def result_of(call: SystemCall, roles: dict[int, str], *, becomes: bool) -> str:
    """Return what came back, with roles for pids; ``becomes``: it succeeded in becoming another program."""
    if call.result == "?":
        return "does not return" if call.name in NO_RETURN else "did not come back"
    if call.errno.startswith("ERESTART"):
        return "interrupted by a signal"
    if becomes:  # strace shows the 0 that the new program starts with; the old one gets no answer
        return "does not return"
    value = call.value
    if "CLONE_THREAD" in call.arguments and value:
        return "= a thread"
    if call.name in ("wait4", "clone", "clone3", "fork", "vfork", "setsid") and value:
        return printable(f"= {roles.get(value, call.result)}{_status(call)}")
    if call.name in ("pipe", "pipe2") and (pair := _PAIR.search(call.arguments)):
        return f"= {pair[1]}, {pair[2]}"
    if call.name == "read" and not call.errno and (found := _READ.fullmatch(call.arguments)):
        return printable(f"= {_with_roles(_cut(found[2]), roles)}")
    return printable(f"= {call.result}")


def _status(call: SystemCall) -> str:
    """Say what a wait learned of the end."""
    if call.name != "wait4":
        return ""
    if exited := _EXITED.search(call.arguments):
        return f", exit code {exited[1]}"
    return f", killed by {signaled[1]}" if (signaled := _SIGNALED.search(call.arguments)) else ""
