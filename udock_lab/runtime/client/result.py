"""From the supervisor's events to the result that a person reads."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from errno import errorcode

from udock_lab import errors
from udock_lab.isolation.observe import Hold
from udock_lab.isolation.rlimit import Limit
from udock_lab.isolation.root import Chdir, ChdirInside, Chroot
from udock_lab.isolation.step import Step
from udock_lab.isolation.syscalls import GUARD
from udock_lab.isolation.user import OWN_NAMESPACE, JoinUserNamespace
from udock_lab.model import (
    ContainerSpec,
    ExitStatus,
    Failure,
    Isolation,
    Limits,
    Record,
    RunResult,
    Signals,
    Status,
    StepReport,
)
from udock_lab.model.value import make_later, replace
from udock_lab.runtime.child.reports import EXEC, NO_ANSWER
from udock_lab.runtime.client.planning import Planned
from udock_lab.runtime.protocol import Ended, News, Refused
from udock_lab.runtime.state import containers, living
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.shortage import shortage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from udock_lab.runtime.client.link import Link
    from udock_lab.runtime.state.rootsource import RootSource

__all__ = ["isolation_of", "raise_refusal", "run_result", "start_notes"]

CHROOT_REFUSED = "chroot failed (need root). Running with chdir only."
_LONG_NAME = 100  # characters of a name that a sentence repeats
Reports = Sequence[Sequence[int]]


def raise_refusal(refused: Refused) -> NoReturn:
    """Raise the supervisor's error here: it could not even begin."""
    if refused.error == errors.Interrupted.__name__:
        raise errors.Interrupted(refused.message, refused.hint, signal=refused.signal)
    kind = getattr(errors, refused.error, errors.MdockError)
    raise kind(refused.message, refused.hint)


def start_notes(reports: Reports, names: Sequence[str], advise: Callable[[], str]) -> list[str]:
    """Return what to say as soon as the program runs: the chroot warning, and what ``advise`` knows against it."""
    return [CHROOT_REFUSED, *filter(None, [advise()])] if _refused_chroot(reports, names) else []


def _refused_chroot(reports: Reports, names: Sequence[str]) -> int:
    """Return the number of the step at which chroot was refused; 0 if it was not."""
    for number, answer, _, _ in reports:
        if number > 0 and answer == errno.EPERM and names[number - 1] == Chroot.name:
            return number
    return 0


def isolation_of(userns: bool, reports: Reports, names: Sequence[str]) -> Isolation:
    """Return how far the container was isolated, from what the child reported of its steps, which ``names`` names."""
    if _refused_chroot(reports, names):
        return Isolation.CHDIR
    return Isolation.USERNS if userns else Isolation.CHROOT


def run_result(
    home: Home,
    planned: Planned,
    last: News,
    link: Link,
    advise: Callable[[], str],
) -> RunResult:
    """Put everything together: status, steps, records, and why it never started if it did not.

    ``last`` is the end, or of a detached container the start.
    """
    spec, root, plan, reports = planned.request.spec, planned.root, planned.plan, last.reports
    ended = last if isinstance(last, Ended) else None
    names = plan.names
    status = ExitStatus(raw=ended.status) if ended else None
    failure = _failure(home, planned, last, status, link.passed_on)
    isolation = isolation_of(bool(spec.userns), reports, names)
    notes = start_notes(reports, names, advise)
    if isolation is Isolation.CHDIR and failure is None and _is_dynamic(root, plan.candidates, spec.workdir):
        notes.append("The program is dynamic: it runs with this machine's own loader and libraries here.")
    notes += last.notes
    if failure is None and status is not None:
        notes += _explain_start(spec, root, status, plan.candidates)
        notes += filter(None, [_explain_limit(planned, last, status)])
    guard = _guard_answers(reports, names)
    taught = [report for report in reports if report[0] not in guard]
    result = RunResult(
        id=last.id,
        image=spec.image,
        argv=spec.argv,
        pid=last.pid,
        exit_code=status.shell_code if status else None,
        exit_status=status,
        isolation=isolation,
        before=ended.before if ended else None,
        after=ended.after if ended else None,
        stdout=bytes(link.stdout),
        stderr=bytes(link.stderr),
        log_path=home.container_log(last.id),
        failure=failure,
        notes=tuple(notes),
        detached=ended is None,
        snapshots=tuple(replace(one, next_environment=tuple(sorted(plan.env))) for one in last.snapshots),
        signals=_signals(list(guard.values())),
    )
    make_later(result, "steps", lambda: tuple(_steps(planned, last, taught, status)))
    return result


def _record_after(last: News) -> Record | None:
    return last.after if isinstance(last, Ended) else None


def _failure(
    home: Home, planned: Planned, last: News, status: ExitStatus | None, passed_on: set[int]
) -> Failure | None:
    """Return the step that ended the child, or execve's refusal; None when the program started."""
    spec, reports = planned.request.spec, last.reports
    answers = [answer for number, answer, _, _ in reports if number == EXEC]
    if answers[-1:] == [NO_ANSWER]:
        return None
    number, answer, _, _ = reports[-1] if reports else (0, 0, 0, 0)
    step = planned.steps[number - 1] if number > 0 else None  # None: the start gate, where nothing is called yet
    survived = step is not None and answer in step.optional_errnos
    silent = (not reports or answer == 0 or survived) and not answers
    in_vain = silent or isinstance(step, JoinUserNamespace) or not os.path.isdir(planned.root.path)
    if planned.entered and in_vain and _has_ended(home, last.id):
        return _ended_meanwhile(spec, last.id, status)
    if answers:
        return _exec_failure(planned, reports, status)
    if silent:
        return _silent_end(spec, last, status, passed_on)
    return Failure(
        step=step.call if step else "the gate",
        errno=answer,
        exit_code=125,
        message=f"{step.describe() if step else 'the gate'} failed: {_errno_words(answer)}.",
        hint=_step_hint(step, answer, planned),
    )


def _guard_answers(reports: Reports, names: Sequence[str]) -> dict[int, int]:
    """Return number to errno of the steps of the layer ``signals``.

    They were not asked for, and no lesson teaches them.
    """
    return {number: answer for number, answer, _, _ in reports if number > 0 and names[number - 1] in GUARD}


def _signals(answers: list[int]) -> Signals | None:
    """Return what came of the filter, and of the second attempt behind no_new_privs."""
    if len(answers) < len(GUARD):  # there was no guard, or the child ended before
        return None
    if answers[0] == 0:
        return Signals.FILTERED
    return Signals.UNPRIVILEGED if answers == [errno.EACCES, 0] else Signals.OPEN


def _has_ended(home: Home, container_id: str) -> bool:
    """Return whether the container has ended that ``exec`` was to enter.

    Its record may follow a moment later, or be removed.
    """
    try:
        record = containers.find(home, container_id)
    except errors.NotFound:
        return True
    return containers.has_ended(record) or not living.is_alive(home, record)


def _ended_meanwhile(spec: ContainerSpec, container_id: str, status: ExitStatus | None) -> Failure:
    return Failure(
        step="launch",
        errno=0,
        exit_code=status.shell_code if status else 125,
        message=f"{container_id} ended before exec could start {spec.argv[0]} in it.",
        hint=f"How it ended: mdock ps   A new container: mdock run {spec.image} {spec.argv[0]}",
    )


def _silent_end(spec: ContainerSpec, last: News, status: ExitStatus | None, passed_on: set[int]) -> Failure:
    """Explain a child that was killed at its gate or between its steps.

    By ``stop``, ``kill``, another process, the kernel.
    """
    said = (status.signal_name or f"exit {status.code}") if status else "an unknown end"
    record = _record_after(last)
    if record is not None and record.status in (Status.STOPPED, Status.KILLED):
        message, hint = f"{last.id} was {record.status.value} before its program was started.", "Run it again."
    elif status is not None and status.signal in passed_on:
        message, hint = f"{said} ended {last.id} before its program was started.", "Run it again."
    else:
        message = f"The child ended before its exec: {said}."
        hint = "Run it again; if a limit was set, raise it (the kernel may kill a process it cannot start)."
        if spec.limits == Limits():
            hint = "Run it again. Was it the kernel, for want of memory? sudo dmesg | tail"
    code = status.shell_code if status else 125
    return Failure(step="launch", errno=0, exit_code=code, message=message, hint=hint)


def _step_hint(step: Step | None, answer: int, planned: Planned) -> str:
    spec, container = planned.request.spec, planned.entered
    command = f"mdock exec {container}" if container else f"mdock run {spec.image}"
    short = shortage(answer) if step is None else None
    if short is not None:
        return "\n".join(short)
    if isinstance(step, OWN_NAMESPACE):
        without = "Go without: mdock run --no-userns   or in every run: mdock config userns off"
        if answer == errno.ENOENT:
            why = "Its user ids are set in /proc/self/uid_map, and no /proc is mounted here."
            return f"{why}\n{without}"
        return f"This machine refuses user namespaces; see what it permits with: mdock doctor\n{without}"
    if isinstance(step, JoinUserNamespace):
        return f"Only who started {container}, or root, may enter its user namespace; whose is it? ps -o user= -p PID"
    if isinstance(step, Limit):
        return "The limit is above what you may have; see: ulimit -H -a"
    if isinstance(step, ChdirInside) and spec.workdir:
        if answer == errno.ENOTDIR:
            return f"-w takes a folder, and this is (or leads through) a file; look: {command} ls /"
        return f"{'The container' if container else 'The image'} has no such folder; look: {command} ls /"
    if not (step is None or isinstance(step, (Chdir, Chroot, ChdirInside))):
        return f"This machine refuses it to you: see what it permits with: mdock doctor{_as_root(spec)}"
    if answer == errno.EACCES:
        return "A folder on the way is closed to you; look at the path: namei -l PATH"
    if container:
        return f"Its files are gone; run it again: mdock stop {container}; mdock run {spec.image}"
    return f"Is the image whole? Build it again with: mdock build --force {spec.image} DIR"


def _as_root(spec: ContainerSpec) -> str:
    """Return what gives more rights in a container, where that is not asked for yet."""
    return "" if spec.userns or os.geteuid() == 0 else "\nIn a user namespace more is permitted: mdock run --userns"


def _exec_failure(planned: Planned, reports: Reports, status: ExitStatus | None) -> Failure:
    """Explain why execve refused.

    Its last word counts, or that one of the folders of PATH held a file which may not be executed.
    """
    from udock_lab.runtime.client.explain.refusal import explain_exec_failure

    answers = [answer for number, answer, _, _ in reports if number == EXEC]
    number = errno.EACCES if errno.EACCES in answers else answers[-1]

    spec, plan = planned.request.spec, planned.plan
    message, hint = explain_exec_failure(
        planned.root,
        plan.candidates,
        number,
        spec.workdir or "/",
        spec.argv[0],
        image=spec.image,
        container=planned.entered,
        confined=isolation_of(bool(spec.userns), reports, plan.names) is not Isolation.CHDIR,
    )
    name = spec.argv[0]
    if len(name) > _LONG_NAME:
        message, hint = (words.replace(name, f"{name[:_LONG_NAME]}...") for words in (message, hint))
    code = status.shell_code if status else (127 if number == errno.ENOENT else 126)
    return Failure(step="execve", errno=number, exit_code=code, message=message, hint=hint)


def _explain_limit(planned: Planned, last: News, status: ExitStatus) -> str | None:
    """Explain a signal that a limit brings; None for one that ``stop`` or ``kill`` was asked for."""
    record = _record_after(last)
    if status.shell_code <= 128 or (record is not None and record.status is not Status.EXITED):
        return None
    from udock_lab.runtime.client.explain.started import explain_limit

    who = f"The program that exec started in {last.id}" if planned.entered else last.id
    return explain_limit(who, planned.request.spec.limits, status)


def _is_dynamic(root: RootSource, candidates: Sequence[str], workdir: str | None) -> bool:
    """Return whether the program names an ELF loader; a script is judged by its interpreter."""
    from udock_lab.linux.elfhead import names_loader
    from udock_lab.linux.resolve import shebang

    for path in candidates:
        try:
            program = root.look(path, workdir or "/")
            line = shebang(program)
            return names_loader(root.look(line[0], workdir or "/") if line else program)
        except OSError:
            continue
    return False


def _explain_start(spec: ContainerSpec, root: RootSource, status: ExitStatus, candidates: Sequence[str]) -> list[str]:
    """Explain a program that hardly began though execve succeeded.

    Its loader (127), an emulator (1, 255) or an interpreter may be the reason.
    """
    if not status.code:
        return []
    from udock_lab.linux.binfmt import foreign_machine
    from udock_lab.linux.resolve import shebang

    for path in candidates:
        try:
            program = root.look(path, spec.workdir or "/")
            machine, line = foreign_machine(program), shebang(program)
        except OSError:
            continue
        emulated = machine is not None and status.code in (1, 255)
        if not (status.code == 127 or emulated or (line and line[1] and line[1].endswith("\r"))):
            return []
        from udock_lab.runtime.client.explain import started

        why = started.explain_exit_127(root, program) if status.code == 127 else None
        if emulated:
            why = started.explain_emulated(root, program)
        return list(filter(None, (why, started.explain_carriage_return(program, path))))
    return []


def _steps(planned: Planned, last: News, reports: Reports, status: ExitStatus | None) -> list[StepReport]:
    """Return the parent's and the child's steps in the order of time."""
    plan = planned.plan
    refused = _refused_chroot(reports, plan.names)
    steps = []
    tried = iter(plan.candidates)
    if isinstance(last, Ended) and last.fork:
        start, end, pid = last.fork
        steps.append(StepReport(name="fork", who="parent", call="fork()", start=start, end=end, result=f"= {pid}"))
    for name, number, start, end in last.parent_steps if isinstance(last, Ended) else ():
        call, result = _parent_words(name, last, status)
        steps.append(StepReport(name=name, who="parent", call=call, start=start, end=end, errno=number, result=result))
    for number, answer, start, end in reports:
        if number == EXEC:
            steps.append(_execve(next(tried, plan.argv[0]), plan.argv, answer, start, end))
        elif number == 0:
            steps.append(
                StepReport(name="gate", who="child", call="recvmsg(gate)", start=start, end=end, result='"go"')
            )
        else:
            steps.append(_child_step(planned.steps[number - 1], answer, start, end, outside=bool(refused)))
    return sorted(steps, key=lambda step: step.start)


def _parent_words(name: str, last: News, status: ExitStatus | None) -> tuple[str, str]:
    words = {
        "record_running": ("append to containers.db", f"{last.id} is running"),
        "open_gate": ('sendmsg(gate, "go")', "the gate is open"),
        "waitpid": (f"waitpid({last.pid})", f"= {last.pid}, status {status.raw if status else '?'}"),
        "record_ended": ("rename over containers.db", f"{last.id} has ended"),
    }
    return words.get(name, (name, ""))


def _execve(path: str, argv: Sequence[str], answer: int, start: int, end: int) -> StepReport:
    """Report the call with the path that was tried: a bare name is looked for folder by folder (execvp(3))."""
    shown = ", ".join(f'"{word}"' for word in argv)
    call = f'execve("{path}", [{shown}])'
    if answer == NO_ANSWER:
        return StepReport(name="execve", who="child", call=call, start=start, end=start, result="does not return")
    result = f"= -1 {_errno_words(answer)}"
    return StepReport(name="execve", who="child", call=call, start=start, end=end, errno=answer, result=result)


def _child_step(step: Step, answer: int, start: int, end: int, *, outside: bool) -> StepReport:
    """Report a step. ``outside``: chroot was refused, so the chdir after it went as it could, or not at all."""
    result = f"= -1 {_errno_words(answer)}" if answer else "= 0"
    if isinstance(step, Hold) and not answer:
        result = f"the parent has looked, {step.moment}"
    elif isinstance(step, ChdirInside) and outside and not answer:
        result = "skipped: / is still this machine's" if step.path == "/" else "= 0, looked up in the image"
    return StepReport(
        name=step.call, who="child", call=step.describe(), start=start, end=end, errno=answer, result=result
    )


def _errno_words(number: int) -> str:
    return f"{errorcode.get(number, number)} ({os.strerror(number)})"
