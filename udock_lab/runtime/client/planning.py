"""From what somebody asked for to what the child will do: the list of steps, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from udock_lab.errors import UsageError
from udock_lab.isolation.sequence import OPTIONS, steps_for_a_container
from udock_lab.isolation.step import Step
from udock_lab.isolation.wanted import Wanted
from udock_lab.model import ContainerSpec, Limits, Record
from udock_lab.runtime.child.plan import Plan, environment
from udock_lab.runtime.client.attach import terminal_size
from udock_lab.runtime.protocol import ExecRequest, RunRequest
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.rootsource import RootSource, source_of

__all__ = ["Planned", "exec_request", "make_plan", "run_request"]


class Planned:
    """What is asked of a supervisor: the request, and the plan in it, whose ``steps`` a report's number counts from 1.

    ``root`` is where the program is, and ``entered`` the id of the container that ``exec`` enters; empty for a new one.
    """

    __slots__ = ("entered", "plan", "request", "root", "steps")

    def __init__(self, request: RunRequest | ExecRequest, root: RootSource, plan: Plan, steps: list[Step]) -> None:
        self.request, self.root, self.plan, self.steps = request, root, plan, steps
        self.entered = request.container_id if isinstance(request, ExecRequest) else ""


def run_request(
    home: Home,
    spec: ContainerSpec,
    root: RootSource | str,
    *,
    claim: str = "",
    snapshots: bool = False,
    one_pipe: bool = False,
    fresh: bool = False,
    announce: bool = False,
) -> Planned:
    """Return what a supervisor needs for a new container.

    ``claim``: where it is written down what the root source needs (resources.py). ``snapshots``: the child waits before
    its first step and after its last one, until it has been looked at. ``one_pipe``: stderr goes where stdout goes.
    ``fresh``: fork within the run. ``announce``: the start is waited for.
    """
    root = source_of(root)
    plan, steps = make_plan(spec, root.path, None, snapshots=snapshots, one_pipe=one_pipe)
    request = RunRequest(
        home=home.path,
        spec=spec,
        rootfs=plan.rootfs,
        steps=plan.steps,
        candidates=plan.candidates,
        before_gate=plan.before_gate,
        one_pipe=one_pipe,
        fresh=fresh,
        announce=announce,
        snapshots=snapshots,
        size=terminal_size() if spec.tty else None,
        private=root.private,
        claim=claim,
    )
    return Planned(request, root, plan, steps)


def exec_request(
    home: Home, spec: ContainerSpec, root: RootSource, inside: Record, *, one_pipe: bool = False, fresh: bool = False
) -> Planned:
    """Return what a supervisor needs for one more program ``inside`` a container that runs."""
    plan, steps = make_plan(spec, root.path, inside.pid, one_pipe=one_pipe)
    request = ExecRequest(
        home=home.path,
        spec=spec,
        rootfs=plan.rootfs,
        steps=plan.steps,
        candidates=plan.candidates,
        before_gate=plan.before_gate,
        one_pipe=one_pipe,
        fresh=fresh,
        size=terminal_size() if spec.tty else None,
        container_id=inside.id,
    )
    return Planned(request, root, plan, steps)


def make_plan(
    spec: ContainerSpec, rootfs: str, join: int | None, *, snapshots: bool = False, one_pipe: bool = False
) -> tuple[Plan, list[Step]]:
    """Return the plan that goes through the start gate, and the steps in it.

    ``join``: the process whose user namespace is entered (``exec``), instead of making a new one.
    ``snapshots``: the child waits before its first step and after its last one, until it has been looked at.
    ``one_pipe``: stderr goes where stdout goes.
    """
    env = environment(spec.env)
    _refuse_unknown_layers(spec)
    _refuse_what_no_call_takes(spec, env)
    steps, before_gate = steps_for_a_container(_wanted(spec, rootfs, join, observed=snapshots))
    plan = Plan(
        steps=tuple([tuple(step.words()) for step in steps]),
        argv=spec.argv,
        env=env,
        rootfs=rootfs,
        candidates=_candidates(spec.argv[0], env["PATH"]),
        one_pipe=one_pipe,
        before_gate=before_gate,
    )
    return plan, steps


def _wanted(spec: ContainerSpec, rootfs: str, join: int | None, *, observed: bool) -> Wanted:
    """Return what the spec asks for, layer by layer; sequence.py knows the order."""
    own = (os.geteuid(), os.getegid()) if spec.userns and not join else None
    return Wanted(
        observed=observed,
        adopts_orphans=True,
        terminal=spec.tty,
        joins=join or 0 if spec.userns else 0,
        own_ids=own,
        rootfs=rootfs,
        workdir=spec.workdir or "/",
        limits=tuple(_limits(spec.limits)),
        no_kill_all=bool(spec.guard),
        options=spec.layers,
    )


def _limits(limits: Limits) -> Iterator[tuple[str, int, int]]:
    """Name each limit with its soft and its hard value, which are equal but for processor time.

    There, soft < hard lets SIGXCPU come before SIGKILL.
    """
    if limits.files is not None:
        yield "RLIMIT_NOFILE", limits.files, limits.files
    if limits.cpu is not None:
        yield "RLIMIT_CPU", limits.cpu, limits.cpu + 1
    if limits.memory is not None:
        yield "RLIMIT_AS", limits.memory, limits.memory


def _candidates(program: str, path: str) -> tuple[str, ...]:
    """Look for a bare name in the container's PATH (execvp(3)); take anything with a slash as a path.

    An empty folder in it is the current one (POSIX, Environment Variables, PATH).
    """
    if "/" in program or not program:
        return (program,)
    return tuple([f"{folder.rstrip('/') if folder else '.'}/{program}" for folder in path.split(":")])


def _refuse_unknown_layers(spec: ContainerSpec) -> None:
    """Raise UsageError for a layer that nobody knows, or whose value is empty: none is dropped in silence."""
    for name, value in spec.layers:
        if name not in OPTIONS:
            there = (
                f"There are: {', '.join(OPTIONS)}." if OPTIONS else "This version has none that is asked for by name."
            )
            raise UsageError(f"There is no layer {name[:40]!r}.", there)
        if not value:
            raise UsageError(f"The value of {name} is empty.", f"For instance: mdock run --{name} NAME {spec.image}")


def _refuse_what_no_call_takes(spec: ContainerSpec, env: dict[str, str]) -> None:
    """Raise UsageError for what is no string of bytes that ends with a NUL (execve(2))."""
    if not spec.argv or not spec.argv[0]:
        raise UsageError("The program's name is empty.", f"For instance: mdock run {spec.image} /bin/sh")
    for key in env:
        if not key or "=" in key:
            raise UsageError(f"{key!r} cannot be the name of a variable.", "Write it as: -e NAME=VALUE")
    words = [*spec.argv, *env, *env.values(), spec.workdir or "", *dict(spec.layers).values()]
    if "\0" in (text := "".join(words)):
        raise UsageError(
            f"{_holder(spec, env, _has_nul)} holds a NUL byte, which ends a string for the kernel.",
            "Take the \\0 out of it.",
        )
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{_holder(spec, env, _has_half)} holds {error.object[error.start]!r}, half of a character, "
            "which has no bytes.",
            "Write the whole character, or bytes with os.fsdecode(b'...').",
        ) from None


def _holder(spec: ContainerSpec, env: dict[str, str], test: Callable[[str], bool]) -> str:
    """Return which word, variable or folder it is that ``test`` finds."""
    for place, word in enumerate(spec.argv):
        if test(word):
            return f"Word {place} of the program's ({word[:40]!r})" if place else f"The program's name {word[:40]!r}"
    for key, value in env.items():
        if test(key + value):
            return f"The variable {key[:40]!r}"
    for name, value in spec.layers:
        if test(value):
            return f"The value of {name} {value[:40]!r}"
    return f"The working directory {(spec.workdir or '')[:40]!r}"


def _has_nul(text: str) -> bool:
    return "\0" in text


def _has_half(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return True
    return False
