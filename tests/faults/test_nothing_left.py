"""No descriptor, no process, no memory is left: a sentence says so and what to type, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab import Runtime

MDOCK = f"{sys.executable} -m udock_lab.cli"
WITH_PRIVILEGE = Path(__file__).parents[2] / "scripts" / "with_privilege.py"


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [*range(6, 24), 32])
def test_run_with_few_descriptors_works_or_names_the_limit(runtime: Runtime, number: int) -> None:
    done = shell(f"ulimit -n {number}; exec {MDOCK} run demo -- /bin/sh -c 'echo hi; exit 5'")
    if done.returncode == 5:
        assert done.stdout == "hi\n" and number > 12
    else:
        assert done.returncode == 125 and "ulimit -n" in done.stderr
    assert "Success" not in done.stderr and "Traceback" not in done.stderr
    assert not runtime.ps(running=True)


@pytest.mark.parametrize("command", ["ps", "images", "inspect demo", "exec c1 ls", "doctor", "stop c1", "logs c1"])
@pytest.mark.parametrize("number", [5, 8])
def test_other_commands_with_few_descriptors_work_or_name_the_limit(
    runtime: Runtime, number: int, command: str
) -> None:
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    done = shell(f"ulimit -n {number}; exec {MDOCK} {command}")
    assert done.returncode == 0 or "ulimit" in done.stderr
    assert "Success" not in done.stderr and "Traceback" not in done.stderr


def test_program_gets_the_callers_own_limit_on_descriptors(runtime: Runtime) -> None:
    done = shell(f"ulimit -S -n 64; ulimit -H -n 512; exec {MDOCK} run demo -- /bin/sh -c 'ulimit -n; ulimit -H -n'")
    assert done.stdout.split() == ["64", "512"]


MANY = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512))
from udock_lab import Runtime
runtime = Runtime()
for _ in range(25):
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
print(runtime.run("demo", ["/bin/sh", "-c", "ulimit -n"]).stdout.decode())
"""


def test_a_notebooks_containers_are_not_bounded_by_its_soft_limit(runtime: Runtime) -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.split() == ["64"]
    assert len(runtime.ps(running=True)) == 25


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from udock_lab import Runtime, MdockError
runtime = Runtime()
started = []
try:
    for _ in range(40):
        started.append(runtime.run("demo", ["/bin/sleep", "60"], detach=True).id)
except MdockError as error:
    print(error)
for name in started:
    runtime.stop(name, timeout=0)
print(len(started), runtime.run("demo", ["/bin/sh", "-c", "exit 42"]).exit_code)
"""


def test_notebook_without_a_descriptor_left_says_so_and_goes_on_when_some_are_free(runtime: Runtime) -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, timeout=100, check=True)
    *words, last = done.stdout.splitlines()
    assert "the limit is 64" in words[0] and "ulimit -n" in words[1]
    assert int(last.split()[0]) > 2 and last.split()[1] == "42"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_run_without_a_process_left_works_or_names_the_limit(as_root: None, number: int) -> None:
    script = (
        f"export HOME=$(mktemp -d); {MDOCK} demo > /dev/null; ulimit -u {number}; "
        f"exec {MDOCK} run demo -- /bin/sh -c 'echo hi; exit 5'"
    )
    done = subprocess.run(
        [sys.executable, WITH_PRIVILEGE, "user", "bash", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if done.returncode == 5:
        assert done.stdout == "hi\n" and number > 1
    else:
        assert done.returncode == 125 and "ulimit -u" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_limit_on_the_size_of_files_is_named_and_nothing_half_written_stays(runtime: Runtime, tmp_path: Path) -> None:
    for number in range(12):
        runtime.run("demo", ["/bin/sh", "-c", f"exit {number}"])
    (tmp_path / "tree/bin").mkdir(parents=True)
    (tmp_path / "tree/bin/sh").write_bytes(bytes(range(256)) * 16)
    for command, code in [("run demo /bin/true", 125), ("run -d demo /bin/true", 125), (f"build x {tmp_path}/tree", 1)]:
        done = shell(f"ulimit -f 0; exec {MDOCK} {command}")
        assert done.returncode == code and "ulimit -f" in done.stderr, (command, done.stderr)
        assert "Traceback" not in done.stderr
    assert len(runtime.ps()) == 12 and [image.name for image in runtime.images()] == ["demo"]
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 3"]).exit_code == 3


EACH_LIMIT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
from udock_lab import Runtime, MdockError
runtime = Runtime()
before = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
try:
    for _ in range(20):
        runtime.run("demo", ["/bin/sleep", "60"], detach=True)
except MdockError as error:
    print("EMFILE" in str(error), error)
print(before in [container.id for container in runtime.ps(running=True)])
"""


@pytest.mark.parametrize("number", range(60, 66))
def test_wherever_descriptors_run_out_the_containers_of_a_notebook_live_on(runtime: Runtime, number: int) -> None:
    words = [sys.executable, "-c", EACH_LIMIT, str(number)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.startswith("True ") and done.stdout.splitlines()[-1] == "True", done.stdout
