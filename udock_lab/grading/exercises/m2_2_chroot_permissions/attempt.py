"""One call of enter, as the kernel and the process that called tell it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.exercises.m2_2_chroot_permissions import scenes
from udock_lab.model import ExitStatus, SandboxResult, SystemCall

__all__ = ["Attempt", "Call", "Try", "attempts"]

Try = tuple[str, str]  # path, rights
_PATH = re.compile(r"'((?:[^'\\]|\\.)*)'$")
_SOURCE_BELOW = re.compile(r"\S.*:\d+: \w+: .*\n  \S.*")  # as warnings.warn shows it


@dataclass(frozen=True, slots=True)
class Call:
    """What one call of enter returned or raised, and wrote. ``late``: what waited in a buffer of the answer's own."""

    said: ev.Said
    stdout: str
    stderr: str
    late: str

    @property
    def lines(self) -> list[str]:
        """The lines on standard error; a warning of Python's with its line of source is one."""
        if _SOURCE_BELOW.fullmatch(self.stderr.strip()):
            return [self.stderr.strip().splitlines()[0]]
        return [line for line in self.stderr.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One process that called enter.

    ``came`` is ``back``, or else ``late``, ``ended`` (the process ended inside enter, as ``status`` says) or
    ``unprepared`` (this machine refuses what the attempt needs: ``why``). ``root`` and ``cwd`` are ``rootfs``, ``/``,
    ``where it was``, ``elsewhere`` or words; ``users`` is ``ours`` in the user namespace of the scene. ``left`` are
    descriptors that stayed open, ``record`` the calls that the kernel saw (``watched``: whether it was asked to look).
    """

    path: str
    rights: str
    came: str
    why: str
    calls: tuple[Call, ...]
    left: tuple[str, ...]
    above: tuple[str, ...]
    uid: int
    root: str
    cwd: str
    users: str
    record: tuple[SystemCall, ...]
    watched: bool

    @property
    def said(self) -> ev.Said | None:
        """What the last call returned or raised."""
        return self.calls[-1].said if self.calls else None

    @property
    def returned(self) -> bool:
        return self.said is not None and self.said.returned

    @property
    def raised(self) -> bool:
        return self.said is not None and not self.said.returned

    @property
    def errno(self) -> int | None:
        """The number of the OSError that came out of enter; None for anything else."""
        return self.said.errno if self.said is not None and self.raised and self.said.is_a("OSError") else None

    @property
    def word(self) -> str:
        """The text that every call returned; empty for anything else."""
        words = {call.said.plain if call.said.returned else None for call in self.calls}
        [word] = words if len(words) == 1 else [None]
        return word if isinstance(word, str) else ""

    @property
    def about(self) -> str:
        """The path that an error names."""
        found = _PATH.search(self.said.shown) if self.said is not None and self.raised else None
        return found[1] if found else ""

    @property
    def words(self) -> str:
        """``enter returned 'chdir'``, ``enter raised FileNotFoundError: ... (your line 7: ...)``."""
        if self.said is not None:
            return ev.worded(self.said, "enter")
        return self.why if self.came == "late" else f"the process ended inside enter, with {self.why}"

    @property
    def by(self) -> str:
        """Who saw it: the kernel, or effects alone."""
        return "kernel" if self.watched else "effects"

    @property
    def inside(self) -> bool:
        """Whether the folder is its root directory."""
        return self.root == "rootfs"

    def seen(self, *names: str) -> list[SystemCall]:
        """Return its calls of these names."""
        return [call for call in self.record if call.name in names]

    def is_at(self, root: str, cwd: str) -> bool:
        """Return whether the kernel says that it is there."""
        return (self.root, self.cwd) == (root, cwd)


def attempts(
    bench: Bench, first: str, tries: Sequence[Try], *, twice: int = -1, trace: bool
) -> tuple[bool, list[Attempt]]:
    """Have enter called in a fresh process for each (path, rights); return whether chroot is permitted, and what came.

    ``{}`` in a path is the root file system's own, relative; a path that begins with ``./`` is made absolute.
    ``rights``: empty, ``none``, ``not root``, or the errno with which each chroot is to be refused. The try at
    ``twice`` is made twice in one process. With ``trace`` the kernel's record of each process is there, which makes a
    fork ten times as dear; NotSeenError is raised where it is not whole. Fails ``first``, the first requirement of the
    story, if the answer brings the whole scene to an end.
    """
    token = f"{random.randrange(10**6):06}"
    rootfs = f"images/demo-{token}/rootfs"
    given = [(path.format(rootfs), rights, 2 if at == twice else 1) for at, (path, rights) in enumerate(tries)]
    values = {"rootfs": rootfs, "token": f"inside-{token}", "tries": given}
    result = bench.play(scenes.each_in_a_process, values=values, apart=True, timeout=20.0, trace=trace, watch=trace)
    if not isinstance(result.value, tuple):
        bench.fail(
            first,
            expected="your cells run, and there is a function enter",
            seen=ev.raised_where(result) or result.verdict,
            looks_like=_nothing_to_call(bench, ev.raised(result)),
        )
    may, told = result.value if isinstance(result.value, tuple) else (False, ())
    known = zip(given, told, strict=True)
    return bool(may), [
        _attempt(result, path, rights, one, _calls(result, one["number"]) if one["asked"] else ())
        for (path, rights, _), one in known
    ]


def _nothing_to_call(bench: Bench, error: str) -> str:
    texts = [bench.submission.source, *(part.text for part in getattr(bench.submission.solution, "parts", ()))]
    if any(line.startswith("%%") for text in texts for line in text.splitlines()):
        return "a cell that begins with %%sandbox runs in a sandbox alone: what it defines is gone after it."
    if error.startswith("NameError: name 'enter'"):
        return "a function of another name, or one that is defined under %%sandbox alone: check asks for enter."
    return ""


def _attempt(
    result: SandboxResult, path: str, rights: str, told: dict[str, object], record: tuple[SystemCall, ...]
) -> Attempt:
    came, why = _came(told)
    calls, left, above, uid = (told.get(name, ()) for name in ("calls", "left", "above", "uid"))
    assert isinstance(calls, list | tuple)
    assert isinstance(left, list | tuple)
    assert isinstance(above, list | tuple)
    return Attempt(
        path=path.removeprefix("./"),
        rights=rights,
        came=came,
        why=why,
        calls=tuple(map(_call, calls)),
        left=tuple(map(str, left)),
        above=tuple(map(str, above)),
        uid=uid if isinstance(uid, int) else 0,
        root=str(told["root"]),
        cwd=str(told["cwd"]),
        users=str(told["users"]),
        record=record,
        watched=result.shows_calls and not result.untraced,
    )


def _call(told: dict[str, object]) -> Call:
    said = ev.heard(told["said"])
    assert said is not None
    return Call(said, str(told["stdout"]), str(told["stderr"]), str(told["late"]))


def _came(told: dict[str, object]) -> tuple[str, str]:
    """Return how it came out of enter, and the reason if it did not."""
    if "calls" in told:
        return "back", ""
    if "unprepared" in told:
        return "unprepared", str(told["unprepared"])
    if "late" in told:
        return "late", f"enter had not come back after {told['late']} s"
    status = told["status"]
    assert isinstance(status, int)
    ended = ExitStatus(raw=status)
    return "ended", f"signal {ended.signal}" if ended.signaled else f"code {ended.code}"


def _calls(result: SandboxResult, number: int) -> tuple[SystemCall, ...]:
    """Return what the kernel saw of the process of that number, from where it was asked to call enter."""
    if not result.shows_calls or result.untraced:
        return ()
    forks = ev.forks(result, result.parent.pid)
    if number < len(forks):
        pid = forks[number].value
        first = ev.asked_at(result, pid)
        if first is not None:
            calls = (call for call in result.calls[first:] if call.pid == pid)
            return tuple(call for call in calls if call.name not in ("exit_group", "openat"))
    raise NotSeenError("the record of a process that called enter is not whole")
