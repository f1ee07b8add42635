"""One sentence on what happened in a sandbox: from evidence to words. No input or output."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.model import ExitStatus, SandboxProcess, SystemCall
from udock_lab.model.value import Value
from udock_lab.sandbox.messages import End

__all__ = ["Evidence", "notes", "verdict"]

_EAGAIN = "BlockingIOError: [Errno 11]"
_FORKS = ("clone", "clone3", "fork", "vfork")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LAST_FLUSH_FAILED = 120  # how Python ends where it cannot empty its buffers (documented at sys.exit)


class Evidence(Value):
    """What keeper, runner and strace saw. ``ends``: how processes came to the end of the code, by pid.

    ``collected`` are the pids that somebody in the sandbox waited for; it says nothing unless ``traced``.
    """

    processes: tuple[SandboxProcess, ...]
    calls: tuple[SystemCall, ...]
    status: ExitStatus | None
    ended_by: str
    ends: dict[int, End]
    collected: frozenset[int]
    traced: bool
    timeout: float
    limit: int
    memory: int
    together: int
    signals_to_all: int
    guard: str
    written: int
    shown: int
    calls_dropped: int
    waits: dict[int, str]
    missed: str  # a name of the code that a worker process of multiprocessing looked for in vain


def verdict(evidence: Evidence) -> str:
    """Return the first rule's sentence that has something to say, without a capital, so that it fits anywhere."""
    for rule in _RULES:
        sentence = rule(evidence)
        if sentence:
            return sentence
    return _how_each_ended(evidence)


def _too_late(e: Evidence) -> str:
    if e.ended_by != "timeout":
        return ""
    alive = [process for process in e.processes if process.leftover]
    who = _roles(alive)
    seconds = round(e.timeout, 1) if e.timeout >= 1 else e.timeout
    said = f"stopped after {seconds:g} s: {who} had not ended, and everything was killed"
    waits = [f"the {process.role} {e.waits[process.pid]}" for process in alive if e.waits.get(process.pid)]
    return f"{said}; {_listed(waits[:3])}." if waits else f"{said}."


def _too_many(e: Evidence) -> str:
    if e.ended_by != "processes":
        return ""
    return (
        f"more than {e.limit} processes at once: the sandbox was stopped and all of them were killed. "
        "Every process that returns from fork goes on with the same code, forks included."
    )


def _too_much(e: Evidence) -> str:
    if e.ended_by != "memory":
        return ""
    return f"more than {e.together >> 20} MiB of memory in all: the sandbox was stopped and everything was killed."


def _interrupted(e: Evidence) -> str:
    return "interrupted: everything in the sandbox was killed." if e.ended_by in ("interrupt", "lost") else ""


def _ran_on(e: Evidence) -> str:
    """Tell of a child at the end of the learner's code: the classic fall-through."""
    children = [process for process in e.processes[1:] if process.ran_on]
    if not children:
        return ""
    raised = [process for process in children if e.ends[process.pid].how == "raised"]
    if raised:
        error = e.ends[raised[0].pid].words
        return (
            f"{raised[0].role} raised {error} and nothing caught it: the error went up through the whole program, "
            "in the child. A child must reach exec or _exit whatever happens (try: ... finally: os._exit(...))."
        )
    left = [p for p in children if e.ends[p.pid].how == "exit"]
    if len(left) == len(children):
        return (
            f"{_roles(left)} left with sys.exit: that runs the parent's clean-up a second time "
            "(buffers, atexit). A child leaves with os._exit or becomes another program."
        )
    both = e.processes[0].ran_on
    count = len(children) + both
    who = "the child" if len(e.processes) == 2 else _roles(children)
    return (
        f"{who} ran on and finished the cell {'too' if both else 'without the parent'}: "
        f"{_number(count)} {'processes' if count > 1 else 'process'} went on after fork, to the last line."
    )


def _to_everybody(e: Evidence) -> str:
    if not e.signals_to_all:
        return ""
    held = "the sandbox held it inside" if e.guard != "none" else "nothing on this machine could hold it"
    return f"the code called kill(-1, ...): every process you may signal, this notebook's kernel too; {held}."


def _no_memory(e: Evidence) -> str:
    if not _first_error(e).startswith("MemoryError"):
        return ""
    return f"out of memory: a process may have {e.memory >> 20} MiB of address space here (RLIMIT_AS)."


def _no_name_in_a_worker(e: Evidence) -> str:
    if not e.missed:
        return ""
    stopped = f" Stopped after {e.timeout:g} s: such workers are started again and again."
    return (
        f"a worker process of multiprocessing found no {e.missed!r}: it is a Python started anew (spawn, forkserver) "
        'and knows nothing of this code. Fork the workers: multiprocessing.get_context("fork").'
        f"{stopped if e.ended_by == 'timeout' else ''}"
    )


def _no_keyboard(e: Evidence) -> str:
    if not _first_error(e).startswith("EOFError"):
        return ""
    return (
        "nothing came from input() (EOFError): a sandbox has no keyboard, its standard input is /dev/null. "
        "Set the value by hand, in this code or in the notebook."
    )


def _no_more_processes(e: Evidence) -> str:
    """Tell of EAGAIN from a fork, by strace; or by an error that reads so, with about as many processes as allowed."""
    crowd = len(e.processes) >= e.limit - 4
    refused = any(end.how == "raised" and end.words.startswith(_EAGAIN) for end in e.ends.values()) and crowd
    if not refused and not any(call.errno == "EAGAIN" and call.name in _FORKS for call in e.calls):
        return ""
    return (
        f"fork was refused with EAGAIN: more than {e.limit} processes at once are not allowed here (RLIMIT_NPROC). "
        "Every process that returns from fork goes on with the same code, forks included."
    )


def _first_raised(e: Evidence) -> str:
    error = _first_error(e)
    return f"the code ended with an error: {error}" if error else ""


def _first_error(e: Evidence) -> str:
    """Return the error that nothing caught in the first process; empty if there was none."""
    end = e.ends.get(e.processes[0].pid) if e.processes else None
    return end.words if end is not None and end.how == "raised" else ""


def _left_running(e: Evidence) -> str:
    left = [process for process in e.processes if process.leftover]
    if not left:
        return ""
    verb = "was" if len(left) == 1 else "were"
    return (
        f"{_roles(left)} {verb} still running half a second after the first process had ended, and {verb} "
        "killed: nobody waited."
    )


def _signalled(e: Evidence) -> str:
    if e.status is None or not e.status.signaled:
        return ""
    return f"the parent was ended by {e.status.signal_name}."


def _became(e: Evidence) -> str:
    first = e.processes[0] if e.processes else None
    if first is None or not first.program or first.ran_on:
        return ""
    return (
        f"the first process itself became {first.program}, and that program {_end(first)}: nothing of your code "
        "was left to run after the exec."
    )


def _cut_short(e: Evidence) -> str:
    first = e.processes[0] if e.processes else None
    if first is None or first.ran_on or e.status is None or e.status.signaled:
        return ""
    if not e.traced:
        return (
            f"the first process ended with code {e.status.code} and said nothing at the end of the code: it left with "
            "os._exit, became another program, or closed the sandbox's own descriptor."
        )
    return (
        f"the first process left with os._exit({e.status.code}): no clean-up ran, and what stood in Python's "
        "buffers is lost."
    )


def _unwritten(e: Evidence) -> str:
    """Tell of Python's own exit code (sys.exit): the code came to its end, and the last flush failed."""
    first = e.processes[0] if e.processes else None
    if first is None or not first.ran_on or e.status is None or e.status.code != LAST_FLUSH_FAILED:
        return ""
    end = e.ends.get(first.pid)
    if end is not None and end.how in ("exit", "raised"):
        return ""
    return (
        f"the code came to its end, and then Python could not write what print had collected (exit code "
        f"{LAST_FLUSH_FAILED}): standard output was closed by then."
    )


def _zombies(e: Evidence) -> str:
    first = e.processes[0] if e.processes else None
    if not e.traced or first is None:
        return ""
    left = [p for p in e.processes[1:] if p.parent == first.pid and p.status and p.pid not in e.collected]
    if not left:
        return ""
    if len(left) == 1:
        stays = "it stays a zombie (ended, but still listed) until the parent itself ends and it is collected for it"
    else:
        stays = "they stay zombies (ended, but still listed) until the parent itself ends and they are collected for it"
    return f"{_roles(left)} ended and nobody called waitpid: {stays}."


def _how_each_ended(e: Evidence) -> str:
    if len(e.processes) == 1:
        return f"one process; it {_end(e.processes[0])}."
    if len(e.processes) > 5:
        return f"{_number(len(e.processes))} processes; each came to its own end."
    ends = ", ".join(f"{process.role} {_end(process)}" for process in e.processes)
    return f"{_number(len(e.processes))} processes: {ends}."


_RULES: tuple[Callable[[Evidence], str], ...] = (
    _no_name_in_a_worker,
    _too_late, _too_many, _too_much, _interrupted, _to_everybody, _no_more_processes, _ran_on, _no_memory, _no_keyboard,
    _first_raised, _left_running, _signalled, _became, _cut_short, _unwritten,
    _zombies,
)  # fmt: skip


def _end(process: SandboxProcess) -> str:
    """Return for instance ``exited with code 0``, ``was ended by SIGKILL``."""
    if process.status is None:
        return "ended"
    if process.status.signaled:
        return f"was ended by {process.status.signal_name}"
    return f"exited with code {process.status.code}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _roles(processes: list[SandboxProcess]) -> str:
    """Return the roles of four at most, and how many more there are."""
    shown = [process.role for process in processes[:4]]
    return _listed([*shown, f"{len(processes) - 4} more"] if len(processes) > 4 else shown)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nobody"


def notes(e: Evidence) -> tuple[str, ...]:
    """Return what was left out, and what was missing."""
    found = []
    if e.written > e.shown:
        found.append(f"{e.written:,} bytes were written; the first {e.shown:,} are shown.")
    if e.calls_dropped:
        found.append(f"{e.calls_dropped:,} more system calls were seen and are not shown.")
    return tuple(found)
