"""Children at their start gates, and the forker that is asked for one ahead of time."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own, whose children are the forker and, once that is dead, what it forked.
_BEGUN = """
import os, signal
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, prctl
from udock_lab.linux.process import children, state
from udock_lab.runtime.child.forker import start_forker
from udock_lab.runtime.supervisor.children import Children

prctl(PR_SET_CHILD_SUBREAPER, 1)
files = set(os.listdir("/proc/self/fd"))
forker = start_forker()
made = Children(forker, prefork=True)
"""

_SWEPT_MEANWHILE = """
forker.ask()
assert forker.kill_leftovers(), "nothing is left over"
child = made.take(fresh=False)
assert state(child.pid) and children(forker.pid) == [child.pid]
child.close()
assert os.waitstatus_to_exitcode(forker.reap(child.pid)) == 0
"""

_FRESH = """
import time
forker.ask()
asked = time.monotonic_ns()
child = made.take(fresh=True)
assert child.fork_start > asked and len(children(forker.pid)) == 2, "the one that was asked for is not this one"
assert made.take(fresh=False).pid != child.pid
"""

_CLOSED = """
forker.ask()
made.close()
assert not children(forker.pid) and not forker.is_asked
"""

_FORKER_DIES = """
os.kill(forker.pid, signal.SIGSTOP)
forker.ask()
os.kill(forker.pid, signal.SIGKILL)
child = made.take(fresh=False)
assert child.pid in children(os.getpid())
forker.kill_leftovers()
child.close()
assert os.waitstatus_to_exitcode(forker.reap(child.pid)) == 0
"""


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(_SWEPT_MEANWHILE, id="a_child_that_was_asked_for_is_not_lost_to_a_sweep"),
        pytest.param(_FRESH, id="a_fork_within_the_run_is_not_the_one_that_was_asked_for_before"),
        pytest.param(_CLOSED, id="a_child_that_was_asked_for_does_not_outlive_the_end_of_prefork"),
        pytest.param(_FORKER_DIES, id="a_forker_that_dies_before_it_answers_is_done_without"),
    ],
)
def test_a_child_asked_for_ahead(story: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BEGUN + story], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
