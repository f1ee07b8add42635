"""The parent's side of a container: what a supervisor holds, and when."""

from __future__ import annotations

import subprocess
import sys

import pytest

from udock_lab import Runtime

# In a process of its own, which is single-threaded, and whose children are all the supervisor's. It collects no
# garbage, as the launcher: what is not freed when the last name for it goes is never freed.
_ONE_RUN = """
import gc, os, sys, weakref
gc.disable()
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, prctl
from udock_lab.model import ContainerSpec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name
from udock_lab.runtime.client.planning import run_request
from udock_lab.runtime.supervisor.job import Job
from udock_lab.runtime.supervisor.serve import Supervisor
from udock_lab.wire.framing import pair

prctl(PR_SET_CHILD_SUBREAPER, 1)
home = Home()
spec = ContainerSpec(image="demo", argv=("echo", "hello"), **eval(sys.argv[1]))
request = run_request(home, spec, find_image_by_name(home.images_db, "demo").rootfs).request
ours, theirs = pair()
supervisor = Supervisor(None, prefork=False)
files = set(os.listdir("/proc/self/fd"))
job = Job(supervisor, request, theirs)
assert not supervisor.jobs and set(os.listdir("/proc/self/fd")) == files, "its making starts nothing"
held = weakref.ref(job)
if sys.argv[2] == "gone":
    ours.close()
job.start()
del job, theirs
supervisor.serve()
print(held() is None, len(os.listdir("/proc/self/fd")) - len(files))
"""


@pytest.mark.parametrize("options", ["{}", "{'tty': True}", "{'interactive': True}", "{'detach': True}"])
@pytest.mark.parametrize("caller", ["there", "gone"])
def test_of_a_run_that_is_over_nothing_is_held_where_nobody_collects_garbage(
    runtime: Runtime, options: str, caller: str
) -> None:
    command = [sys.executable, "-c", _ONE_RUN, options, caller]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    freed, files = done.stdout.split() or (done.stderr, "")
    assert freed == "True", done.stderr
    assert int(files) <= 0, "the run's own socket is closed, and nothing else is open"


# The caller takes nothing of a long output while the program ends and its end cannot be recorded, since somebody else
# has the lock. Then it takes all of it, and only then the lock is free.
_LATE_RECORD = """
import os
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, prctl
from udock_lab.model import ContainerSpec
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name
from udock_lab.runtime.client.planning import run_request
from udock_lab.runtime.protocol import Ended, Output, from_supervisor
from udock_lab.runtime.state.lock import release, try_lock
from udock_lab.runtime.supervisor.job import Job
from udock_lab.runtime.supervisor.serve import Supervisor
from udock_lab.wire.framing import pair, receive

prctl(PR_SET_CHILD_SUBREAPER, 1)
home = Home()
spec = ContainerSpec(image="demo", argv=("/bin/sh", "-c", "i=0; while [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done"))
request = run_request(home, spec, find_image_by_name(home.images_db, "demo").rootfs).request
ours, theirs = pair()
supervisor = Supervisor(None, prefork=False)
job = Job(supervisor, request, theirs)
job.start()
lock, heard = try_lock(home), []

def take(_):
    said = from_supervisor(receive(ours)[0])
    heard.append(said)
    if isinstance(said, Ended):
        supervisor.loop.close(ours)
        supervisor.loop.later(0.3, lambda: release(lock))

def look():
    if job.is_told:
        supervisor.loop.watch(ours, take)
    elif not job.caller.has_all and job.phase.name == "RUNNING":
        supervisor.loop.watch(ours, take)
    else:
        supervisor.loop.later(0.01, look)

look()
supervisor.serve()
text = b"".join(said.data for said in heard if isinstance(said, Output))
print(text.count(b"line"), "is not recorded yet" in heard[-1].notes[0], containers.find(home, "c1").status.value)
"""


def test_an_end_that_is_recorded_late_is_recorded_though_the_caller_has_taken_everything(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDOCK_LOCK_TIMEOUT", "0")
    done = subprocess.run([sys.executable, "-c", _LATE_RECORD], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["40000", "True", "exited"], done.stderr
