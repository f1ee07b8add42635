"""The scenes of M2.7's hidden half: rights that are missing, and a runner that is killed."""

from __future__ import annotations

import errno
import os
import signal
from typing import Any

from udock_lab.grading.exercises.m2_7_mdock_run.referee import Referee
from udock_lab.grading.exercises.m2_7_mdock_run.runners import Call, in_a_row, unwatched
from udock_lab.grading.exercises.m2_7_mdock_run.scenes import HeldProgram, one_after_another, orphan, put_on
from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home, put, take
from udock_lab.grading.inside import may_chroot
from udock_lab.grading.workers import Functions, Gate, Load, Tell
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.seccomp_filters import refuse_chroot

__all__ = ["others", "refused"]


def refused(load: Load, *, image: str, history: str, token: dict[str, str], code: int, argv: list[str]) -> Any:
    """Run a program without the right to chroot, in images that cannot be entered, where chroot finds no memory."""
    referee = Referee(load)
    put_on(token)
    home = Home("home", image, history)
    home.add_image("gone", f"{home.path}/images/gone")
    home.add_image("file", f"{home.path}/images.db")
    put(f"{home.root}/here", f"{code}\n")  # the program finds its exit code in the image
    calls: list[Call] = [("powerless", image, argv), ("gone", "gone", argv), ("file", "file", argv)]
    seen: dict[str, Any] = {"row": []}
    for number, call in enumerate(calls):
        work = without_rights if number == 0 else in_a_row
        seen["row"] += one_after_another(referee, home, [call], work)
    seen["ran"] = bool(take(f"{home.root}/ran"))
    if seen["ran"]:
        os.unlink(f"{home.root}/ran")
    seen["no filter"] = not _filters_work()
    if not seen["no filter"]:
        seen["row"] += one_after_another(referee, home, [("no-memory", image, argv)], without_memory)
    seen["ran without memory"] = bool(take(f"{home.root}/ran"))
    referee.end()
    return seen


def without_rights(tell: Tell, functions: Functions, home: Home, calls: list[Call], gate: Gate) -> None:
    """Call run without any capability."""
    drop_capabilities()
    in_a_row(tell, functions, home, calls, gate)


def without_memory(tell: Tell, functions: Functions, home: Home, calls: list[Call], gate: Gate) -> None:
    """Call run where the kernel has no memory for a chroot (chroot(2), ENOMEM)."""
    refuse_chroot(errno.ENOMEM)
    in_a_row(tell, functions, home, calls, gate)


def _filters_work() -> bool:
    """Try in a child whether this machine lets a process refuse a call to itself."""
    pid = os.fork()
    if pid == 0:
        try:
            refuse_chroot(errno.ENOMEM)
            os.chroot("/")
        except OSError as error:
            os._exit(error.errno != errno.ENOMEM)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def others(load: Load, *, image: str, history: str, token: dict[str, str], code: int, argv: list[str]) -> Any:
    """Run a program while another one is held; kill the other one's runner; run the program again."""
    seen: dict[str, Any] = {"may chroot": may_chroot()}
    referee = Referee(load)
    put_on(token)
    home = Home("home", image, history)
    held = HeldProgram(referee, home, unwatched)
    held.begins()
    seen["pid"], seen["outcome"] = held.pid, held.outcome
    seen["beside"] = list(one_after_another(referee, home, [("beside", image, argv)]))
    if not held.runner.gone:
        os.kill(held.runner.pid, signal.SIGKILL)
        referee.until(lambda: held.runner.gone)
    seen["later"] = list(one_after_another(referee, home, [("later", image, argv)]))
    seen["table"] = home.content()
    held.opens(code)
    seen["orphan"] = orphan(referee, Home("second", image, history))
    referee.end()
    return seen
