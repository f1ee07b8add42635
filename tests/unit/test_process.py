"""Identity and kinship of processes, asked of processes that really run."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from waiting import until

from udock_lab.linux.process import (
    boot_id,
    children,
    descendants,
    is_dying,
    is_same_process,
    last_pid,
    lives,
    open_loadavg,
    parent,
    process_tree,
    start_ticks,
    state,
)

GONE = 2**22  # the largest pid the kernel gives out is one less


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A shell, with a shell below it, with a sleep below that."""
    with subprocess.Popen(["/bin/sh", "-c", "/bin/sh -c 'sleep 60; :'; :"], start_new_session=True) as shell:
        assert until(lambda: len(descendants(shell.pid)) == 2)
        yield shell
        os.killpg(shell.pid, signal.SIGKILL)


def test_a_running_process_is_itself_and_no_other(sleeper: subprocess.Popen[bytes]) -> None:
    ticks = start_ticks(sleeper.pid)
    assert ticks is not None
    assert is_same_process(sleeper.pid, ticks, boot_id())
    assert not is_same_process(sleeper.pid, ticks + 1, boot_id())
    assert not is_same_process(sleeper.pid, ticks, "another boot")


def test_a_zombie_counts_as_gone_though_its_pid_still_answers(sleeper: subprocess.Popen[bytes]) -> None:
    ticks = start_ticks(sleeper.pid)
    assert ticks is not None
    sleeper.kill()
    assert until(lambda: state(sleeper.pid) == "Z")
    os.kill(sleeper.pid, 0)
    assert start_ticks(sleeper.pid) == ticks
    assert not is_same_process(sleeper.pid, ticks, boot_id())


def test_a_process_that_does_not_exist_has_neither_state_nor_parent_nor_children() -> None:
    assert (state(GONE), parent(GONE), start_ticks(GONE), process_tree(GONE)) == (None, None, None, None)
    assert (children(GONE), descendants(GONE)) == ([], [])
    assert not is_same_process(GONE, 1, boot_id())


@pytest.mark.parametrize("name", ["a b", ") R 1 1", "((", "x) Z"])
def test_a_name_with_blanks_and_parentheses_confuses_no_field(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        try:
            assert until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == f"{name}\n")
            assert parent(process.pid) == os.getpid()
            assert state(process.pid) in {"S", "R", "D"}
            assert start_ticks(process.pid) == start_ticks(process.pid)
        finally:
            process.kill()


def test_start_ticks_are_clock_ticks_since_boot(sleeper: subprocess.Popen[bytes]) -> None:
    ticks = start_ticks(sleeper.pid)
    assert ticks is not None
    seconds = ticks / os.sysconf("SC_CLK_TCK")
    assert 0 <= time.clock_gettime(time.CLOCK_BOOTTIME) - seconds < 10


def test_children_are_direct_and_descendants_are_all_parents_first(family: subprocess.Popen[bytes]) -> None:
    (shell,) = children(family.pid)
    (sleep,) = children(shell)
    assert descendants(family.pid) == [shell, sleep]
    assert children(sleep) == []


def test_looking_below_one_process_reads_nothing_of_the_others(family: subprocess.Popen[bytes]) -> None:
    """Else each stop and each rm -f of one container takes the longer the more others run."""
    program = f"""
        import os, re, sys
        from udock_lab.linux.process import descendants

        looked_at = set()
        def note(event, arguments):
            if event in ("open", "os.listdir"):
                looked_at.update(re.findall(r"^/proc/([0-9]+|$)", str(arguments[0])))

        sys.addaudithook(note)
        below = descendants({family.pid})
        print(sorted(looked_at - {{str(os.getpid())}}) == sorted(map(str, [{family.pid}, *below])), len(below))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout == "True 2\n"


def test_what_another_thread_has_started_is_below_its_process_too() -> None:
    program = """
        import subprocess, sys, threading
        def start():
            subprocess.Popen(["sleep", "60"])
            print("started", flush=True)
            sys.stdin.read()
        threading.Thread(target=start).start()
    """
    command = [sys.executable, "-c", dedent(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        below = descendants(process.pid)
        try:
            (only,) = below  # its name comes a moment after exec has closed what told Popen of it
            assert until(lambda: Path(f"/proc/{only}/comm").read_text() == "sleep\n")
        finally:
            for pid in below:
                os.kill(pid, signal.SIGKILL)


def test_the_tree_shows_names_commands_and_who_is_below_whom(family: subprocess.Popen[bytes]) -> None:
    tree = process_tree(family.pid)
    assert tree is not None
    (shell,) = tree.children
    (sleep,) = shell.children
    assert sleep.command == ("sleep", "60")
    assert (sleep.name, sleep.children) == ("sleep", ())
    assert (shell.start_ticks, shell.state) == (start_ticks(shell.pid), "S")


def test_the_tree_shows_a_zombie(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    assert until(lambda: state(sleeper.pid) == "Z")
    tree = process_tree(os.getpid())
    assert tree is not None
    zombie = next(node for node in tree.children if node.pid == sleeper.pid)
    assert (zombie.state, zombie.name, zombie.command) == ("Z", "sleep", ())


def test_the_last_pid_is_read_anew_from_a_file_that_is_open_already() -> None:
    loadavg = open_loadavg()
    try:
        before = last_pid(loadavg)
        subprocess.run(["true"], check=True)
        assert before != last_pid(loadavg)
    finally:
        os.close(loadavg)


def test_the_last_pid_moves_on_with_every_process() -> None:
    before = last_pid()
    subprocess.run(["/bin/true"], check=True)
    assert before > 0
    assert last_pid() != before


def test_a_machine_that_hides_other_peoples_processes_is_no_error(as_root: None) -> None:
    """proc(5), hidepid=1: what belongs to others cannot be opened, and counts as not there."""
    code = """
import os
from udock_lab.linux.process import *
from udock_lab.linux.mounts import *
from udock_lab.linux.namespaces import *
unshare(CLONE_NEWNS | CLONE_NEWPID)
mount("none", "/", None, MS_REC | MS_PRIVATE)
if os.fork() == 0:  # the first process of the namespace: it stays root
    mount("proc", "/proc", "proc", 0, "hidepid=1")
    if os.fork() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            open("/proc/1/stat").close()
        except PermissionError:
            print("hidden:", state(1), start_ticks(1), children(1), descendants(1), flush=True)
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("hidden: None None [2] [2]\n", "")


def test_process_that_a_signal_ends_is_seen_to_be_dying_until_it_is_gone() -> None:
    """Also when it has taken the signal and its exit takes a moment: nobody is to kill it then."""
    for _ in range(100):
        process = subprocess.Popen(["sleep", "60"])
        pidfd = os.pidfd_open(process.pid)
        gone = select.poll()
        gone.register(pidfd, select.POLLIN)
        process.terminate()
        seen = True
        while True:
            said = is_dying(process.pid)
            if gone.poll(0):
                break
            seen = seen and said
        process.wait()
        os.close(pidfd)
        assert seen


def test_process_whose_first_thread_has_gone_lives_on_and_is_not_dying() -> None:
    leaves = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)"
    )
    process = subprocess.Popen([sys.executable, "-c", leaves])
    try:
        ticks = start_ticks(process.pid)
        assert ticks is not None
        assert until(lambda: state(process.pid) == "Z")
        assert process.poll() is None and not is_dying(process.pid)
        assert lives(process.pid) and is_same_process(process.pid, ticks, boot_id())
    finally:
        process.kill()
        process.wait()
