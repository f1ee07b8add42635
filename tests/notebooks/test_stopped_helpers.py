"""A program that stops whoever supervises it costs neither the cell nor, after a restart, a process for ever."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("jupyter_client")

from users_kernel import Cell, UsersKernel
from waiting import has_taken, until

from udock_lab.linux.process import children, state

STOPS_ITS_PARENT = "kill -STOP $PPID; sleep 60"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path / "home")
    try:
        assert kernel.run("%mdock demo").status == "ok"
        kernel.run("from udock_lab import Runtime, sandbox; runtime = Runtime(); runtime.run('demo', ['true'])")
        yield kernel
    finally:
        kernel.close()


def launcher_of(kernel: UsersKernel) -> int:
    return int(kernel.run("print(runtime.launcher_pid)").stdout)


def is_gone(pid: int) -> bool:
    return state(pid) in (None, "Z")


def interrupted(kernel: UsersKernel, request: str, stopped: int) -> Cell:
    """Press the button three times, when the process is stopped."""
    assert until(lambda: state(stopped) == "T")
    for _ in range(3):
        kernel.interrupt()
        assert until(lambda: has_taken(kernel.pid, signal.SIGINT))
    return kernel.end_of(request, 20)


def named(cell: Cell) -> int:
    """The process that the message names and says how to continue."""
    assert (cell.status, cell.ename) == ("error", "LetGo")
    assert "Traceback" not in cell.error
    found = re.search(r"process (\d+), which supervises it, is stopped.\s.*kill -CONT (\d+)", cell.error, re.S)
    assert found and found[1] == found[2], cell.error
    return int(found[1])


@pytest.mark.parametrize(
    "code",
    [
        f"%mdock run demo -- /bin/sh -c '{STOPS_ITS_PARENT}'",
        f"%mdock run --rm demo -- /bin/sh -c '{STOPS_ITS_PARENT}'",
        f"%%mdock run demo\n{STOPS_ITS_PARENT}",
        f"runtime.run('demo', ['/bin/sh', '-c', '{STOPS_ITS_PARENT}'])",
        "%mdock run demo -- /bin/sh -c 'kill -STOP $PPID'",
    ],
    ids=["run", "rm", "script", "python", "ends-at-once"],
)
def test_a_third_interrupt_frees_the_cell_names_the_stopped_process_and_the_next_run_works(
    kernel: UsersKernel, code: str
) -> None:
    launcher = launcher_of(kernel)
    forker = children(launcher)[0]
    pid = named(interrupted(kernel, kernel.begin(code), forker))
    assert pid == forker and state(forker) == "T"
    assert kernel.run("print(runtime.run('demo', ['/bin/sh', '-c', 'exit 5']).exit_code)").stdout == "5\n"
    os.kill(pid, signal.SIGCONT)
    assert until(lambda: is_gone(launcher) and is_gone(forker))
    done = kernel.run("print([one.state for one in runtime.ps()])").stdout
    assert "running" not in done and "orphaned" not in done, "the end was recorded when it went on"


def test_exec_is_let_go_too_and_the_container_goes_on(kernel: UsersKernel) -> None:
    kernel.run("%mdock run -d demo sleep 60")
    forker = children(launcher_of(kernel))[0]
    pid = named(interrupted(kernel, kernel.begin(f"%mdock exec c2 -- /bin/sh -c '{STOPS_ITS_PARENT}'"), forker))
    os.kill(pid, signal.SIGCONT)
    assert kernel.run("print(runtime.ps(running=True)[0].id)").stdout == "c2\n"
    assert kernel.run("%mdock rm -f c2").status == "ok"


@pytest.mark.parametrize("who", ["launcher", "forker", "both"])
def test_after_a_restart_nobody_is_left_because_he_was_stopped(kernel: UsersKernel, who: str) -> None:
    launcher = launcher_of(kernel)
    forker = children(launcher)[0]
    kernel.begin("%mdock run demo sleep 60")
    assert until(lambda: len(children(forker)) > 0)
    for pid in {"launcher": [launcher], "forker": [forker], "both": [launcher, forker]}[who]:
        os.kill(pid, signal.SIGSTOP)
    kernel.restart()
    assert until(lambda: is_gone(launcher) and is_gone(forker)), (state(launcher), state(forker))
    code = "from udock_lab import Runtime\nprint([one.state for one in Runtime().ps()])"
    assert until(lambda: "running" not in kernel.run(code).stdout)
    assert "orphaned" not in kernel.run(code).stdout


def test_a_kernel_that_started_its_launcher_in_a_thread_long_ended_is_missed_as_well(kernel: UsersKernel) -> None:
    """PR_SET_PDEATHSIG comes from the creating thread, and again from the process that inherits the child."""
    kernel.restart()
    code = (
        "import threading\nfrom udock_lab import Runtime\nruntime = Runtime()\n"
        "thread = threading.Thread(target=runtime.run, args=('demo', ['true']))\nthread.start(); thread.join()"
    )
    assert kernel.run(code).status == "ok"
    launcher = launcher_of(kernel)
    forker = children(launcher)[0]
    os.kill(launcher, signal.SIGSTOP)
    os.kill(forker, signal.SIGSTOP)
    kernel.restart()
    assert until(lambda: is_gone(launcher) and is_gone(forker)), (state(launcher), state(forker))


def test_a_detached_container_lives_on_when_its_stopped_launcher_is_continued_by_a_restart(
    kernel: UsersKernel,
) -> None:
    kernel.run("%mdock run -d demo -- /bin/sh -c 'until test -e /tmp/go; do sleep 0.05; done; exit 9'")
    launcher = launcher_of(kernel)
    os.kill(children(launcher)[0], signal.SIGSTOP)
    kernel.restart()
    (kernel.mdock_home / "images/demo/rootfs/tmp/go").touch()
    done = kernel.run("r = %mdock wait c2\nfrom udock_lab import Runtime\nprint(Runtime().ps()[1].record.exit_code)")
    assert done.stdout.endswith("9\n"), done.error
    assert until(lambda: is_gone(launcher))


def keeper_of(launcher: int, forker: int) -> int:
    def keepers() -> list[int]:
        return [pid for pid in children(launcher) if pid != forker]

    assert until(keepers)
    return keepers()[0]


@pytest.mark.parametrize("end", ["interrupt", "restart"])
def test_a_sandbox_whose_keeper_is_stopped_is_let_go_and_leaves_nothing(kernel: UsersKernel, end: str) -> None:
    launcher = launcher_of(kernel)
    forker = children(launcher)[0]
    request = kernel.begin("%%sandbox --timeout 60\nimport time\nprint('up', flush=True)\ntime.sleep(60)")
    keeper = keeper_of(launcher, forker)
    assert until(lambda: children(keeper))
    below = children(keeper)
    os.kill(keeper, signal.SIGSTOP)
    if end == "interrupt":
        assert named(interrupted(kernel, request, keeper)) == keeper
        assert kernel.run("%%sandbox\nprint(6 * 7)").stdout.endswith("42\n")
        os.kill(keeper, signal.SIGCONT)
    else:
        kernel.restart()
    assert until(lambda: is_gone(keeper) and all(map(is_gone, below)))


def test_three_interrupts_of_a_program_that_only_takes_its_time_still_tell_its_end(kernel: UsersKernel) -> None:
    request = kernel.begin("%mdock run demo -- /bin/sh -c \"trap '' INT; echo up; while :; do sleep 1; done\"")
    log = kernel.mdock_home / "logs" / "c2.log"
    assert until(lambda: log.exists() and log.read_bytes() == b"up\n")
    for _ in range(3):
        kernel.interrupt()
        assert until(lambda: has_taken(kernel.pid, signal.SIGINT))
    cell = kernel.end_of(request, 30)
    assert (cell.ename, cell.status) == ("Interrupted", "error")
    assert "c2 was interrupted: exit 137" in cell.error
