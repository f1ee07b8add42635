"""In a pid namespace of its own over the old /proc, where every number is somebody else's (pid_namespaces(7))."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from chrooting import MAY_CHROOT

MDOCK = f"{sys.executable} -m udock_lab.cli"
PATIENCE = 60.0  # seconds; whatever takes longer never ends
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")

pytestmark = pytest.mark.usefixtures("chroot_works", "runtime")


def in_new_namespace(*words: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """``unshare -fp``, as its manual shows it first: /proc stays as it was."""
    command = [*MAY_CHROOT, "unshare", "--fork", "--pid", "--kill-child", *words]
    return subprocess.run(command, input=program, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.parametrize("shell", [[], ["/bin/sh", "-c"]], ids=["as pid 1", "below a shell"])
def test_a_run_that_forks_ends_with_its_code(shell: list[str]) -> None:
    words = [
        sys.executable,
        "-m",
        "udock_lab.cli",
        "run",
        "demo",
        "--",
        "/bin/sh",
        "-c",
        "sleep 0.1 & sleep 0.2; exit 42",
    ]
    if shell:
        words = [*shell, '"$@"; exit $?', "sh", *words]
    done = in_new_namespace(*words)
    assert (done.returncode, done.stderr) == (42, "")


def test_what_a_container_leaves_running_is_found_without_a_proc_of_ones_own() -> None:
    """The kernel tells our own children from strangers: waitid(2)."""
    script = f"""
{MDOCK} run demo -- /bin/sh -c '(setsid sleep 300 &) ; (sleep 301 &); exit 3'
echo "code $?"
kill -0 -1 2>/dev/null && echo "somebody is left"
:
"""
    assert in_new_namespace("/bin/sh", "-s", program=script).stdout == "code 3\n"


@pytest.mark.skipif(not LAST_PID.exists(), reason="needs privilege: a kernel with checkpoint and restore")
def test_strangers_who_have_the_numbers_that_proc_shows_are_not_signalled() -> None:
    """Outside, some process has the supervisor's number, and children; inside, strangers have those children's."""
    decoy = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 300 & echo $!; sleep 300 & echo $!; wait"], stdout=subprocess.PIPE
    )
    assert decoy.stdout is not None
    below = [int(decoy.stdout.readline()) for _ in range(2)]
    program = f"""
import os, subprocess, sys, time
def next_pid(number):
    open({str(LAST_PID)!r}, "w").write(str(number - 1))
strangers = []
for number in {below!r}:
    next_pid(number)
    strangers.append(subprocess.Popen(["sleep", "300"]))
next_pid({decoy.pid} - 1)
words = [sys.executable, "-m", "udock_lab.cli", "run", "demo", "--", "/bin/sh", "-c", "sleep 300 & sleep 0.2; exit 5"]
code = subprocess.run(words).returncode
print([one.pid for one in strangers], [one.poll() for one in strangers], code)
[one.kill() for one in strangers]
"""
    try:
        done = in_new_namespace(sys.executable, "-c", program)
        assert done.stdout == f"{below} [None, None] 5\n", done.stderr
    finally:
        decoy.kill()
        for pid in below:
            os.kill(pid, 9)
        decoy.wait()
        decoy.stdout.close()


_AS_AN_IDLE_INIT = """
import os, subprocess, sys
from pathlib import Path
for words in {commands!r}:
    subprocess.run([sys.executable, "-m", "udock_lab.cli", *words], stdin=subprocess.DEVNULL)
states = [path.read_text().rpartition(")")[2].split()[0] for path in Path("/proc").glob("[0-9]*/stat")]
print("zombies:", states.count("Z"), flush=True)
os._exit(0)
"""


def below_an_idle_init(*commands: list[str]) -> str:
    """Process 1 waits for nobody but what it started itself, as in a container without an init."""
    words = [sys.executable, "-c", _AS_AN_IDLE_INIT.format(commands=commands)]
    return in_new_namespace("--mount-proc", *words).stdout


def test_foreground_runs_leave_no_zombie_where_process_1_waits_for_nobody() -> None:
    run = ["run", "demo", "--", "/bin/sh"]
    refused = ["run", "-w", "/nowhere", "demo", "true"]
    done = below_an_idle_init([*run, "-c", "exit 3"], [*run, "-c", "sleep 9 & exit 0"], [*run[:-1], "/no"], refused)
    assert done == "zombies: 0\n"


def test_the_doctor_names_a_process_1_that_waits_for_nobody() -> None:
    said = below_an_idle_init(["doctor"])
    assert "reaped orphans" in said and "docker run --init" in said
    assert "NO   own /proc " in in_new_namespace(*f"{MDOCK} doctor".split()).stdout
    here = subprocess.run(f"{MDOCK} doctor".split(), capture_output=True, text=True, timeout=PATIENCE)
    assert "NO   own /proc " not in here.stdout


def test_the_sandbox_says_what_it_lacks_there() -> None:
    done = in_new_namespace(sys.executable, "-c", "from udock_lab import sandbox; sandbox.run('print(1)')")
    assert "Unsupported" in done.stderr and "unshare --mount-proc" in done.stderr
