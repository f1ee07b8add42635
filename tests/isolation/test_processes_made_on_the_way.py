"""A container's pid may come from a second fork, or be 1 in a namespace of its own: it is the program's all the same.

Nobody can ask for that yet, so the plans are made here; all processes are real, as are their launchers.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from chrooting import needs_chroot
from planned import FIRST, SHELL, TWICE, Steps, execute
from waiting import sleeps, until

from udock_lab import Runtime
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.wanted import Wanted
from udock_lab.linux.process import children, descendants, lives, state
from udock_lab.model.value import replace
from udock_lab.runtime.client.connection import Connection, ForkedSupervisor, the_launcher

pytestmark = [pytest.mark.forks, needs_chroot]

SUPERVISORS: dict[str, Callable[[], Connection]] = {"launcher": the_launcher, "command line": ForkedSupervisor}


@pytest.fixture(params=SUPERVISORS)
def connection(request: pytest.FixtureRequest) -> Connection:
    return SUPERVISORS[request.param]()


@pytest.fixture
def pids_work() -> None:
    if why := refusal(FIRST):
        pytest.skip(f"needs privilege: {why}")


@pytest.fixture(autouse=True)
def nothing_is_left(runtime: Runtime) -> Iterator[None]:
    """What a launcher has below it afterwards is its forker, and children that wait at their gates."""
    yield
    with suppress(Exception):
        for container in runtime.ps(running=True):
            runtime.kill(container.id)
    launcher = the_launcher().pid
    spares = 3  # at most one of each kind
    assert launcher is None or until(lambda: len(descendants(launcher)) <= 1 + spares)
    assert until(lambda: all(state(pid) != "Z" for pid in descendants(os.getpid())))


# --- a second fork


def test_the_record_names_the_process_that_a_child_forked_on_its_way(runtime: Runtime, connection: Connection) -> None:
    result = execute(runtime, Wanted(), SHELL, "-c", "echo $$; exit 3", connection=connection, before=TWICE)
    assert result.stdout.split() == [str(result.pid).encode()]
    assert result.before is not None and result.before.pid == result.pid
    assert result.exit_code == 3 and result.exit_status is not None and result.exit_status.raw == 3 << 8
    forks = [step.result for step in result.steps if step.call == "fork()"]
    assert forks == [f"= {int(forks[0][2:])}", "= 0"] and forks[0] != f"= {result.pid}", "the first fork's was another"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_that_ends_it_is_in_the_raw_status_and_nobody_folds_it(
    runtime: Runtime, connection: Connection, number: signal.Signals
) -> None:
    result = execute(runtime, Wanted(), SHELL, "-c", f"kill -{number} $$", connection=connection, before=TWICE)
    assert result.exit_status is not None and result.exit_status.raw == number
    assert result.exit_code == 128 + number


def test_stop_and_kill_reach_it_and_what_it_left_running_is_killed(runtime: Runtime) -> None:
    stopped = execute(runtime, Wanted(), "/bin/sleep", "60", detach=True, before=TWICE)
    assert runtime.stop(stopped.id).exit_code == 143
    killed = execute(runtime, Wanted(), SHELL, "-c", "sleep 61 & sleep 62 & wait", detach=True, before=TWICE)
    assert killed.pid is not None and until(lambda: len(descendants(killed.pid or 0)) == 2)
    left = descendants(killed.pid)
    assert runtime.kill(killed.id).exit_code == 137
    assert until(lambda: not any(lives(pid) for pid in left))


def test_it_leads_its_session_and_has_no_more_files_open_than_any_other(runtime: Runtime) -> None:
    stat = execute(runtime, Wanted(), "/bin/cat", "/proc/self/stat", before=TWICE)
    if stat.exit_code == 0:  # the image has a /proc only where chroot is refused
        fields = stat.stdout.split()
        assert fields[0] == fields[4] == fields[5]
    started = execute(runtime, Wanted(), "/bin/sleep", "60", detach=True, before=TWICE)
    assert started.pid is not None and os.getsid(started.pid) == os.getpgid(started.pid) == started.pid
    assert until(lambda: sorted(os.listdir(f"/proc/{started.pid}/fd")) == ["0", "1", "2"])
    runtime.kill(started.id)


def test_it_gets_a_terminal_which_is_that_of_its_own_session(runtime: Runtime, pids_work: None) -> None:
    for wanted, before in ((Wanted(), TWICE), (FIRST, [])):
        result = execute(runtime, wanted, SHELL, "-c", "test -t 0 && test -t 1 && exit 7", tty=True, before=before)
        assert result.exit_code == 7 and result.failure is None
        assert "ioctl(0, TIOCSCTTY)" in [step.call for step in result.steps if not step.errno]


def test_a_step_that_is_refused_before_the_gate_is_told_as_any_other(runtime: Runtime, connection: Connection) -> None:
    before = [*TWICE, ["chdir", "/no/such/folder"]]
    result = execute(runtime, Wanted(), "/bin/true", connection=connection, before=before)
    assert result.exit_code == 125 and result.failure is not None
    assert (result.failure.step, result.failure.errno) == ("chdir", errno.ENOENT)
    assert result.after is not None and result.after.exit_code == 125


def test_one_that_is_killed_before_it_is_prepared_gives_125_and_says_so(
    runtime: Runtime, connection: Connection
) -> None:
    every_call_kills = "0600000000000080"  # BPF_RET, SECCOMP_RET_KILL_PROCESS: the next one is that of its report
    before: Steps = [*TWICE, ["signals", every_call_kills], ["no_new_privs"]]
    result = execute(runtime, Wanted(), "/bin/true", connection=connection, before=before)
    assert result.exit_code == 125 and result.failure is not None
    assert result.failure.message == "The child ended before its exec: exit 125."
    assert result.after is not None and result.after.exit_code == 125


def test_the_launcher_takes_over_what_a_killed_forker_had_adopted(runtime: Runtime) -> None:
    started = execute(runtime, Wanted(), "/bin/sleep", "60", detach=True, before=TWICE)
    launcher = the_launcher().pid
    assert launcher is not None and started.pid is not None
    (forker,) = [pid for pid in children(launcher) if started.pid in descendants(pid)]
    os.kill(forker, signal.SIGKILL)
    assert until(lambda: started.pid in children(launcher))
    os.kill(started.pid, signal.SIGTERM)
    assert runtime.wait(started.id).exit_code == 143
    result = execute(runtime, Wanted(), SHELL, "-c", "exit 4", before=TWICE)
    assert result.exit_code == 4, "which the launcher forks and adopts itself"
    the_launcher().close()  # the next test gets one with a forker


# --- process 1 of its own namespace


def test_the_program_is_process_1_of_its_namespace_and_its_record_has_the_pid_outside(
    pids_work: None, runtime: Runtime, connection: Connection
) -> None:
    for _ in range(2):  # by a second fork, or with a child that was forked inside
        result = execute(runtime, FIRST, SHELL, "-c", "echo $$; exit 3", connection=connection)
        assert result.stdout == b"1\n"
        assert result.exit_status is not None and result.exit_status.raw == 3 << 8
        assert result.before is not None and result.before.pid == result.pid != 1


def test_process_1_that_is_killed_has_that_in_its_raw_status_and_takes_all_others_with_it(
    pids_work: None, runtime: Runtime
) -> None:
    started = execute(runtime, FIRST, SHELL, "-c", "sleep 61 & sleep 62 & wait", detach=True)
    assert started.pid is not None and until(lambda: len(descendants(started.pid or 0)) == 2)
    left = descendants(started.pid)
    assert runtime.kill(started.id).exit_code == 137
    assert until(lambda: not any(lives(pid) for pid in left))
    heeds = "trap 'exit 5' TERM; while :; do sleep 0.05; done"
    again = execute(runtime, FIRST, SHELL, "-c", heeds, detach=True)
    assert again.pid is not None and until(lambda: descendants(again.pid or 0))
    assert runtime.stop(again.id).exit_code == 5


def test_with_the_spare_off_every_call_stands_in_the_run_s_own_timeline(pids_work: None, runtime: Runtime) -> None:
    execute(runtime, FIRST, "/bin/true")
    result = execute(runtime, FIRST, "/bin/true", fresh=True)
    times = {step.call: step.start for step in result.steps}
    fork = min(step.start for step in result.steps if step.name == "fork")
    assert fork < times["unshare(CLONE_NEWPID)"] < times["append to containers.db"]


def test_a_kind_that_was_asked_for_is_forked_ahead_and_its_steps_stand_at_their_true_earlier_times(
    runtime: Runtime,
) -> None:
    if why := refusal(Wanted(namespaces=("new_pids",), is_first=True)):
        pytest.skip(f"needs privilege: {why}")  # the forker makes no user namespace
    apart = replace(FIRST, namespaces=("new_mounts", "new_pids", "new_ipcs", "new_uts"))
    the_launcher().close()  # one that no other test has asked for a kind
    first = execute(runtime, apart, "/bin/true")
    launcher = the_launcher().pid
    assert launcher is not None
    (forker,) = [pid for pid in children(launcher) if children(pid)]
    assert until(lambda: len(children(forker)) == 2), "a plain one, and one of this kind"
    assert until(lambda: all(sleeps(pid) for pid in children(forker))), "and both wait at their gates"
    second = execute(runtime, apart, SHELL, "-c", "echo $$")
    assert second.stdout == b"1\n" and first.after is not None
    ended = max(step.end for step in first.steps if step.name == "waitpid" or "waitpid" in step.call)
    began = min(step.start for step in second.steps if step.call == "append to containers.db")
    for call in ("unshare(CLONE_NEWPID)", "unshare(CLONE_NEWNS)", "unshare(CLONE_NEWIPC)", "unshare(CLONE_NEWUTS)"):
        (step,) = [step for step in second.steps if step.call == call]
        assert ended < step.start < began and step.errno == 0
    assert execute(runtime, Wanted(), SHELL, "-c", "exit 6").exit_code == 6, "the plain kind is as it was"
