"""A notebook kernel with a dozen threads never forks: strace watches a real one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from udock_lab import Runtime

jupyter_client = pytest.importorskip("jupyter_client")

CELLS = [
    "%load_ext udock_lab",
    "from udock_lab import Runtime; runtime = Runtime()",
    "%mdock run demo -- /bin/sh -c 'echo hello; exit 3'",
    "%mdock run -d demo sleep 30",
    "%mdock ps",
    "%mdock run demo /no/such",
    "runtime.run('demo', ['/bin/sh'], stdin='echo ' + 'x' * 100000)",
    "runtime.run('demo', ['/bin/true'], spare=False)",
    "[runtime.run('demo', ['/bin/true']).exit_code for _ in range(5)]",
    "%mdock exec c2 /bin/true",
    "%mdock stop c2",
    "%mdock logs c1",
    "%mdock inspect c1",
    "%mdock doctor",
    "%%sandbox --trace -o result\nimport os\nfor n in range(3):\n  if os.fork() == 0: os._exit(n)\n  os.wait()",
    "assert len(result.processes) == 4; result",
    "from udock_lab import sandbox; assert sandbox.run(lambda n: n + 1, 41).value == 42",
    "%mdock prune",
]
PROCESS_CALL = re.compile(r"^(\d+) .*?\b(clone3?|fork|vfork)\((.*)$")


@pytest.fixture
def kernel(home: Path, runtime: Runtime) -> Iterator[tuple[Any, Any]]:
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run_cell(client: Any, code: str) -> None:
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", (code, reply["content"])


def attach(pid: int, trace: Path) -> subprocess.Popen[str]:
    if shutil.which("strace") is None:
        pytest.skip("needs privilege: strace is missing")
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", str(trace), "-e", "trace=clone,clone3,fork,vfork", "-p", str(pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    first = tracer.stderr.readline()
    if "attached" not in first:
        pytest.skip(f"needs privilege: ptrace is refused: {first.strip()}")
    assert until(lambda: all(is_traced(task) for task in Path(f"/proc/{pid}/task").iterdir()))
    return tracer


def is_traced(task: Path) -> bool:
    try:
        return "TracerPid:\t0\n" not in (task / "status").read_text()
    except OSError:  # this thread has ended
        return True


def forks_of(trace: Path, threads: set[int]) -> list[str]:
    """Calls that made a process rather than a thread, by the kernel's own threads."""
    made = []
    for line in trace.read_text(errors="replace").splitlines():
        found = PROCESS_CALL.match(line)
        if found is None or int(found[1]) not in threads:
            continue
        if "CLONE_THREAD" not in found[3]:
            made.append(line)
            continue
        new = re.search(r"=> \{parent_tid=\[(\d+)\]|= (\d+)$", line)
        if new:
            threads.add(int(new[1] or new[2]))
    return made


def test_kernel_makes_one_vfork_for_the_launcher_and_then_no_process_at_all(
    kernel: tuple[Any, Any], tmp_path: Path
) -> None:
    manager, client = kernel
    pid = manager.provisioner.pid
    threads = {int(name) for name in os.listdir(f"/proc/{pid}/task")}
    assert len(threads) > 4
    trace = tmp_path / "trace"
    tracer = attach(pid, trace)
    try:
        for cell in CELLS:
            run_cell(client, cell)
        threads |= {int(name) for name in os.listdir(f"/proc/{pid}/task")}
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)
    made = forks_of(trace, threads)
    assert len(made) == 1 and re.search(r"vfork\(|CLONE_VFORK", made[0]), made
    assert len(re.findall(r"\b(?:fork|vfork|clone3?)\(", trace.read_text())) > 10, "the launcher's forks are seen"
