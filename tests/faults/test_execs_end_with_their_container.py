"""A program that ``exec`` started ends with its container, though its own supervisor was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import lives, parent, pids, session_members

MDOCK = [sys.executable, "-m", "udock_lab.cli"]
TREE = "(sleep 61 & exec sleep 62) & sh -c 'sleep 63 & setsid sleep 64 & wait' & wait; sleep 65"


def sleeping(rootfs: str) -> list[int]:
    """The processes ``sleep 6x`` that have this root, or work below it."""
    found = []
    for pid in pids():
        with suppress(OSError, IndexError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            inside = os.path.samefile(f"/proc/{pid}/root", rootfs) or os.readlink(f"/proc/{pid}/cwd").startswith(rootfs)
            if words[0].endswith(b"sleep") and words[1][:1] == b"6" and inside and lives(pid):
                found.append(pid)
    return found


@pytest.fixture
def abandoned(runtime: Runtime) -> tuple[str, int]:
    """A container, and the program of an exec in it whose supervisor was killed."""
    name = runtime.run("demo", ["/bin/sleep", "70"], detach=True).id
    client = subprocess.Popen(
        [*MDOCK, "exec", name, "/bin/sh", "-c", f"echo $$; {TREE}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert client.stdout is not None
    program = int(client.stdout.readline())
    assert until(lambda: len(sleeping(runtime.home.image_rootfs("demo"))) >= 4)
    supervisor = parent(program)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert client.wait(40) == 125
    client.communicate()
    assert lives(program)
    return name, program


ENDS: dict[str, Callable[[Runtime, str], object]] = {
    "stop": lambda runtime, name: runtime.stop(name),
    "kill": lambda runtime, name: runtime.kill(name),
    "rm -f": lambda runtime, name: runtime.rm(name, force=True),
    "its own end": lambda runtime, name: os.kill(runtime.ps()[0].record.pid, signal.SIGTERM),
}


@pytest.mark.parametrize("end", ENDS)
def test_program_of_exec_and_what_it_started_end_with_the_container(
    runtime: Runtime, abandoned: tuple[str, int], end: str
) -> None:
    name, program = abandoned
    ENDS[end](runtime, name)
    assert until(
        lambda: not lives(program) and not session_members(program) and not sleeping(runtime.home.image_rootfs("demo"))
    )
    assert end != "rm -f" or not os.path.exists(f"{runtime.home.path}/containers/{name}")


@pytest.mark.parametrize("end", ["stop", "rm", "prune"])
def test_program_of_exec_ends_though_the_supervisor_of_its_container_was_killed_too(
    runtime: Runtime, abandoned: tuple[str, int], end: str
) -> None:
    name, program = abandoned
    spec = runtime.inspect(name).data["spec"]
    assert isinstance(spec, dict)
    os.kill(spec["supervisor"], signal.SIGKILL)
    os.kill(spec["pid"], signal.SIGKILL)
    assert until(lambda: not lives(spec["pid"]))
    done = subprocess.run([*MDOCK, end, *([name] if end != "prune" else [])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not lives(program) and not session_members(program) and not sleeping(runtime.home.image_rootfs("demo"))


def test_what_an_ended_program_of_exec_left_behind_ends_too(runtime: Runtime, abandoned: tuple[str, int]) -> None:
    name, program = abandoned
    os.kill(program, signal.SIGKILL)
    assert until(lambda: not lives(program))
    assert session_members(program)
    runtime.stop(name)
    assert until(lambda: not session_members(program) and not sleeping(runtime.home.image_rootfs("demo")))


def test_process_that_has_the_number_of_an_ended_program_is_left_alone(runtime: Runtime) -> None:
    name = runtime.run("demo", ["/bin/sleep", "70"], detach=True).id
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        folder = Path(runtime.home.path, "containers", name)
        known = {"pid": stranger.pid, "start_ticks": 1, "boot_id": "x", "inode": 1}
        (folder / f"exec-{stranger.pid}.json").write_text(json.dumps(known))
        runtime.rm(name, force=True)
        assert stranger.poll() is None
        stranger.kill()


def test_exec_leaves_no_record_behind(runtime: Runtime) -> None:
    name = runtime.run("demo", ["/bin/sleep", "70"], detach=True).id
    assert runtime.exec(name, ["/bin/sh", "-c", "exit 4"]).exit_code == 4
    assert runtime.exec(name, ["/bin/nothing"]).exit_code == 127
    folder = Path(runtime.home.path, "containers", name)
    assert not [path for path in folder.iterdir() if path.name.startswith("exec-")]


WITHOUT_PROC = """
out=$1; shift
id=$("$@" run -d demo sleep 4)
"$@" exec $id sh -c 'echo $$; sleep 66 & wait' > $out &
while ! [ -s $out ]; do sleep 0.05; done
program=$(cat $out)
kill -9 $(ps -o ppid= -p $program)
mount -t tmpfs none /proc
sleep 5
"""


def test_without_proc_the_process_group_ends_with_the_container(
    as_root: None, runtime: Runtime, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["unshare", "-m", "bash", "-c", WITHOUT_PROC, "bash", str(out), *MDOCK]
    subprocess.run(command, capture_output=True, timeout=80)
    program = int(out.read_text())
    assert until(lambda: not lives(program) and not sleeping(runtime.home.image_rootfs("demo")))
