"""``exec`` enters the container that was looked up, and no other process that has got its number since."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from waiting import until

from udock_lab import Runtime
from udock_lab.errors import Conflict
from udock_lab.isolation import sequence  # noqa: F401 - the steps of its layers are known by name
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.wanted import Wanted
from udock_lab.model import ContainerSpec, Record
from udock_lab.model.value import replace
from udock_lab.runtime.client.attach import Attachment
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.client.planning import exec_request
from udock_lab.runtime.protocol import Ended
from udock_lab.runtime.running import first_process
from udock_lab.runtime.state.rootsource import Directory

pytestmark = pytest.mark.forks  # the trial of user namespaces does


@pytest.fixture
def container(runtime: Runtime) -> Iterator[tuple[Record, int]]:
    """A container with a user namespace of its own, and the pidfd of its first process."""
    if refusal(Wanted(own_ids=(os.geteuid(), os.getegid()))):
        pytest.skip("needs privilege: user namespaces are refused here")
    started = runtime.run("demo", ["/bin/sleep", "70"], userns=True, detach=True)
    record = runtime.ps()[0].record
    assert record.pid == started.pid
    pidfd = os.pidfd_open(record.pid)
    yield record, pidfd
    os.close(pidfd)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process in another user namespace, which is to pass for the container by its number."""
    unshare = shutil.which("unshare")
    assert unshare is not None
    with subprocess.Popen([unshare, "--user", "--map-root-user", "sleep", "70"]) as process:
        assert until(lambda: user_namespace(process.pid) != user_namespace(os.getpid()))
        yield process
        process.kill()


def user_namespace(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/user")


def execute(runtime: Runtime, record: Record, pidfd: int, *argv: str) -> tuple[Ended, str]:
    """Have the launcher execute a program there, as ``Runtime.exec`` does; the end, and what it wrote."""
    spec = ContainerSpec(image="demo", argv=argv, userns=True)
    planned = exec_request(runtime.home, spec, Directory(path="/"), record)
    with closing(Attachment(None, lambda _: None)) as attachment:
        attachment.ask(lambda far_end: the_launcher().request(planned.request, [far_end, pidfd]))
        last = attachment.follow(Ended)
    assert isinstance(last, Ended)
    return last, attachment.stdout.decode()


def test_the_namespace_that_is_entered_is_the_pidfd_s_whoever_has_the_number(
    runtime: Runtime, container: tuple[Record, int], stranger: subprocess.Popen[bytes]
) -> None:
    record, pidfd = container
    ended, wrote = execute(runtime, replace(record, pid=stranger.pid), pidfd, "/bin/readlink", "/proc/self/ns/user")
    assert ended.status == 0
    assert wrote.strip() == user_namespace(record.pid) != user_namespace(stranger.pid)


def test_a_container_that_ended_since_the_look_up_is_entered_by_nobody_and_nor_is_who_has_its_number(
    runtime: Runtime, container: tuple[Record, int], stranger: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    record, pidfd = container
    runtime.kill(record.id)
    ended, _ = execute(runtime, replace(record, pid=stranger.pid), pidfd, "/bin/touch", f"{tmp_path}/touched")
    assert os.WIFSIGNALED(ended.status)
    assert not (tmp_path / "touched").exists()
    assert stranger.poll() is None


def test_a_program_that_exec_started_ends_with_the_process_of_the_pidfd(
    runtime: Runtime, container: tuple[Record, int], stranger: subprocess.Popen[bytes]
) -> None:
    record, pidfd = container
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {record.pid}"])
    ended, _ = execute(runtime, replace(record, pid=stranger.pid), pidfd, "/bin/sleep", "60")
    assert os.WIFSIGNALED(ended.status)
    killer.wait()
    assert stranger.poll() is None


def test_exec_in_a_container_that_has_just_ended_is_refused_with_what_to_type(
    runtime: Runtime, container: tuple[Record, int]
) -> None:
    record, _ = container
    runtime.kill(record.id)
    with pytest.raises(Conflict, match="is not running") as refused, first_process(runtime.home, record):
        pytest.fail("there is nothing to enter")
    assert refused.value.hint == "Start another one: mdock run demo"


def test_exec_leaves_no_descriptor_of_the_container_in_the_launcher(
    runtime: Runtime, container: tuple[Record, int]
) -> None:
    record, _ = container
    launcher = the_launcher().pid

    def held() -> int:
        facts = []
        for path in Path(f"/proc/{launcher}/fdinfo").iterdir():
            with suppress(FileNotFoundError):  # it was closed since we looked which there are
                facts.append(path.read_text())
        return sum(f"\nPid:\t{record.pid}\n" in fact for fact in facts)

    before = held()
    for _ in range(3):
        assert runtime.exec(record.id, ["/bin/true"]).exit_code == 0
    assert until(lambda: held() == before)


OLDER_KERNEL = """
import os, sys
from udock_lab.isolation import sequence
from udock_lab.isolation.step import Child, make_step
child = Child()
child.container = os.pidfd_open(int(sys.argv[1]))
if sys.argv[2] == "ended":
    os.kill(int(sys.argv[1]), 9)
    sys.stdin.readline()
try:
    make_step(["join_userns", int(sys.argv[3])]).apply(child)
except OSError as error:
    print(error.errno)
else:
    print(os.readlink("/proc/self/ns/user"))
"""


@pytest.mark.parametrize("state", ["alive", "ended"])
def test_where_setns_takes_no_pidfd_the_number_counts_only_while_it_is_the_container_s(
    runtime: Runtime, container: tuple[Record, int], stranger: subprocess.Popen[bytes], state: str
) -> None:
    """Before Linux 5.8 setns(2) says EINVAL to a pidfd; here strace says so to the first call."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is missing")
    record, _ = container
    number = record.pid if state == "alive" else stranger.pid
    inject = [strace, "-f", "-q", "-o", "/dev/null", "-e", "trace=setns", "-e", "inject=setns:error=EINVAL:when=1"]
    command = [*inject, sys.executable, "-c", OLDER_KERNEL, str(record.pid), state, str(number)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as done:
        expected = user_namespace(record.pid)
        if state == "ended":
            assert until(lambda: runtime.ps()[0].record.end_time)
            expected = "3"  # ESRCH
        said, complaints = done.communicate("\n", timeout=60)
    if "ptrace" in complaints.lower():
        pytest.skip(f"needs privilege: {complaints.splitlines()[0]}")
    assert said.strip() == expected, complaints
