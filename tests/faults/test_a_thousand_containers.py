"""A thousand containers in the background, of one notebook with the usual limit of 1,024 descriptors."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

import pytest
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import state

USUAL = 1024  # the soft limit of most machines
NEEDED = 6000  # descriptors of a launcher with a thousand containers

THOUSAND = """
import json, os, sys, time
from udock_lab import Runtime
from udock_lab.linux.process import children, descendants

def held(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))

def now():
    "Descriptors of launcher and forker, and how many processes are below."
    return [held(launcher), held(forker), len(descendants(launcher))]

def at_rest():
    "The same when nothing changes any more: the next child is there."
    runtime.run("demo", ["/bin/true"])
    seen = [now()]
    while len(seen) < 10 or len({str(one) for one in seen[-10:]}) > 1:
        time.sleep(0.05)
        seen.append(now())
    return seen[-1]

runtime = Runtime()
runtime.run("demo", ["/bin/true"])
launcher = runtime.launcher_pid
(forker,) = children(launcher)
before = at_rest()
started = [runtime.run("demo", ["/bin/sleep", "600"], detach=True) for _ in range(1000)]
said = {
    "limits": runtime.run("demo", ["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"]).stdout.decode().split(),
    "in front": runtime.run("demo", ["/bin/sh", "-c", "exit 42"]).exit_code,
    "running": len(runtime.ps(running=True)),
    "pids": [one.pid for one in started],
}
for one in started[::2]:
    runtime.stop(one)
for one in started[1::2]:
    runtime.rm(one, force=True)
said["before"], said["after"] = before, at_rest()
said["launchers"] = [launcher, runtime.launcher_pid]
print(json.dumps(said))
"""


def of_a_notebook(program: str, soft: int, hard: int) -> str:
    """What a program says that has these limits on descriptors."""
    shell = f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"'
    command = ["bash", "-c", shell, "bash", sys.executable, "-c", program]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500, check=True
    ).stdout


@pytest.mark.timeout(600)
def test_a_thousand_containers_run_at_once_and_leave_nothing_when_they_end(runtime: Runtime) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < NEEDED:
        pytest.skip(f"needs privilege: this machine permits {hard} descriptors, and no more")
    said: dict[str, Any] = json.loads(of_a_notebook(THOUSAND, USUAL, NEEDED))
    assert said["limits"] == [str(USUAL), str(NEEDED)], "a program may open as many files as its caller"
    assert (said["in front"], said["running"]) == (42, 1000)
    assert len(set(said["pids"])) == 1000 and until(lambda: all(state(pid) in (None, "Z") for pid in said["pids"]))
    assert said["after"] == said["before"], "descriptors of launcher and forker, and processes"
    assert said["launchers"][0] == said["launchers"][1]
    ends = [(one.record.status, one.record.exit_code) for one in runtime.ps() if one.record.exit_code == 143]
    assert ends == [("stopped", 143)] * 500
    assert len(runtime.ps()) == 500 + 5 and runtime.ps(running=True) == [] and runtime.complaints() == []


FILLED = """
import sys
from udock_lab import Runtime, MdockError
runtime = Runtime()
started = []
try:
    for _ in range(100):
        started.append(runtime.run("demo", ["/bin/sleep", "60"], detach=True))
except MdockError as error:
    print(" ".join(str(error).split()))
print([runtime.run("demo", ["/bin/sh", "-c", "exit 3"]).exit_code for _ in range(3)])
print(runtime.exec(started[0], ["/bin/sh", "-c", "exit 4"]).exit_code)
for one in started:
    runtime.rm(one, force=True)
print(runtime.run("demo", ["/bin/sh", "-c", "exit 5"], detach=True).failure, len(started))
"""


@pytest.mark.parametrize("limit", [256, 257, 258, 259, 260])
def test_a_low_hard_limit_bounds_what_runs_in_the_background_and_never_a_run_in_the_foreground(
    runtime: Runtime, limit: int
) -> None:
    refusal, in_front, in_container, last = of_a_notebook(FILLED, limit, limit).splitlines()
    assert f"the limit is {limit}" in refusal and "ulimit -n 1024" in refusal and "Stop some" in refusal
    assert (in_front, in_container) == ("[3, 3, 3]", "4")
    assert last.split()[0] == "None" and int(last.split()[1]) > 30
    assert until(lambda: runtime.ps(running=True) == []) and len(runtime.ps()) == 4
