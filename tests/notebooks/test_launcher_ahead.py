"""``%load_ext udock_lab`` starts the launcher, so that the first run finds it; and nothing breaks where it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("jupyter_client")

from users_kernel import UsersKernel
from waiting import until

from udock_lab.linux.process import children, descendants, state

LAUNCHERS_PID = "from udock_lab import Runtime; runtime = Runtime(); print(runtime.launcher_pid)"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path / "home")
    yield kernel
    kernel.close()


def launchers_of(pid: int) -> list[int]:
    return [child for child in children(pid) if b"launcher" in Path(f"/proc/{child}/cmdline").read_bytes()]


def are_gone(pids: list[int]) -> bool:
    return all(state(pid) in (None, "Z") for pid in pids)


def test_the_launcher_is_there_before_the_first_run_which_takes_it(kernel: UsersKernel) -> None:
    launcher = int(kernel.run(LAUNCHERS_PID).stdout)
    assert launchers_of(kernel.pid) == [launcher]
    kernel.run("%mdock demo")
    assert kernel.run("%mdock run demo -- /bin/sh -c 'exit 5'").status == "ok"
    assert kernel.run("print(runtime.launcher_pid)").stdout == f"{launcher}\n"


def test_importing_the_package_alone_starts_nothing() -> None:
    code = (
        "import os, udock_lab; from udock_lab import Runtime; from udock_lab.linux.process import children;"
        "print(Runtime().launcher_pid, children(os.getpid()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None []\n"


@pytest.mark.parametrize("end", ["restart", "shutdown", "kill -9"])
def test_a_kernel_that_only_reads_leaves_no_process(tmp_path: Path, end: str) -> None:
    kernel = UsersKernel(tmp_path / "home")
    try:
        (launcher,) = launchers_of(kernel.pid)
        assert until(lambda: len(descendants(launcher)) == 2), "the forker, and a child at its start gate"
        below = [launcher, *descendants(launcher)]
        if end == "restart":
            kernel.restart()
        elif end == "kill -9":
            os.kill(kernel.pid, signal.SIGKILL)
    finally:
        kernel.close()
    assert until(lambda: are_gone(below))


def test_unloading_lets_the_launcher_go_and_loading_again_starts_another(kernel: UsersKernel) -> None:
    (launcher,) = launchers_of(kernel.pid)
    assert kernel.run("%unload_ext udock_lab").status == "ok"
    assert until(lambda: are_gone([launcher]))
    assert kernel.run("%load_ext udock_lab").status == "ok"
    (another,) = launchers_of(kernel.pid)
    assert another != launcher


def test_one_that_was_killed_before_the_first_run_is_replaced(kernel: UsersKernel) -> None:
    kernel.run("%mdock demo")
    (launcher,) = launchers_of(kernel.pid)
    os.kill(launcher, signal.SIGKILL)
    assert kernel.run(f"{LAUNCHERS_PID}; print(runtime.run('demo', ['sh', '-c', 'exit 5']).exit_code)").stdout.endswith(
        "\n5\n"
    )


def test_where_it_cannot_start_the_extension_loads_and_the_first_run_says_why(kernel: UsersKernel) -> None:
    kernel.run("%mdock demo\n%unload_ext udock_lab\nimport os, resource")
    no_room = (
        "get_ipython().history_manager.writeout_cache()\n"  # so that IPython's own thread opens no file meanwhile
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir('/proc/self/fd'))) - 1, hard))\n"
    )
    room = "\nresource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))"
    loaded = kernel.run(f"{no_room}get_ipython().run_line_magic('load_ext', 'udock_lab'){room}")
    assert (loaded.status, loaded.stderr) == ("ok", "")
    assert launchers_of(kernel.pid) == []
    refused = kernel.run(
        f"{no_room}try:\n get_ipython().run_line_magic('mdock', 'run demo true')\nfinally:{room.replace(chr(10), ' ')}"
    )
    assert refused.status == "error" and "may not open one more file" in refused.error
    assert kernel.run("%mdock run demo true").status == "ok"


WORKER = """
import multiprocessing, os, time
from udock_lab import Runtime
def work(say):
    say.send((os.getpid(), Runtime().run('demo', ['sh', '-c', 'exit 5']).exit_code))
    time.sleep(600)
hear, say = multiprocessing.Pipe()
worker = multiprocessing.get_context('fork').Process(target=work, args=(say,))
worker.start()
print(*hear.recv())
"""


def test_a_forked_worker_has_a_launcher_of_its_own_and_keeps_its_parents_from_nothing(kernel: UsersKernel) -> None:
    kernel.run("%mdock demo")
    (launcher,) = launchers_of(kernel.pid)
    worker, code = map(int, kernel.run(WORKER).stdout.split())
    assert code == 5
    (workers,) = launchers_of(worker)
    assert workers != launcher
    try:
        os.kill(kernel.pid, signal.SIGKILL)
        assert until(lambda: are_gone([launcher])), "the worker held a copy of its socket"
        assert not are_gone([worker])
    finally:
        os.kill(worker, signal.SIGKILL)
    assert until(lambda: are_gone([workers]))
