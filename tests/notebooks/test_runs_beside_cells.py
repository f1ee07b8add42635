"""A run that one cell starts, while other cells run: its output, its end and what is typed into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")

from users_kernel import UsersKernel
from waiting import until

from udock_lab import Runtime

PROGRAM = "while read line; do echo got $line; done; echo over; exit 3"
START = f"""
from udock_lab import Runtime
runtime = Runtime()
script = "{PROGRAM}"
started = runtime.start("demo", ["/bin/sh", "-c", script], interactive=True,
                        on_output=lambda stream, data: print(f"[{{stream}}] {{data.decode()}}", end="", flush=True))
print("the cell is over")
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path / "home")
    try:
        assert kernel.run("%mdock demo").status == "ok"
        yield kernel
    finally:
        kernel.close()


def test_cells_run_type_and_see_the_end_while_a_started_run_goes_on(kernel: UsersKernel) -> None:
    first = kernel.begin(START)
    assert kernel.end_of(first).stdout == "the cell is over\n"
    assert kernel.run("%mdock run demo -- echo meanwhile").status == "ok"
    assert kernel.run("started.type('one\\n')").status == "ok"
    seen = ""
    while "got one" not in seen:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream":
            assert message["parent_header"]["msg_id"] == first  # it is shown below the cell that started it
            seen += message["content"]["text"]
    assert "[stdout] got one\n" in seen
    assert kernel.run("print(started.done, started.result)").stdout == "False None\n"
    assert kernel.run("started.type('two\\n'); started.end_input()").status == "ok"
    assert "3\n" in kernel.run("print((await started).exit_code)").stdout
    assert kernel.run("print(started.stdout == b'got one\\ngot two\\nover\\n')").stdout.endswith("True\n")


def test_interrupt_of_a_cell_that_waits_for_a_started_run_leaves_the_run_to_the_next_cell(kernel: UsersKernel) -> None:
    assert kernel.run(START).status == "ok"
    waiting = kernel.begin("print('begun', flush=True)\nawait started")
    while kernel.client.get_iopub_msg(timeout=60)["content"].get("text") != "begun\n":
        pass
    kernel.interrupt()
    assert kernel.end_of(waiting).status == "error"
    ended = kernel.run("started.type('on\\n'); started.end_input(); print((await started).exit_code)")
    assert "3\n" in ended.stdout


def test_container_of_a_started_run_ends_with_the_kernel_and_is_recorded(kernel: UsersKernel) -> None:
    sleeps = START.replace(PROGRAM, "exec sleep 60")  # one that reads may see the end of its input first
    assert sleeps != START
    assert kernel.run(sleeps + "import asyncio\nwhile not started.id: await asyncio.sleep(0.01)").status == "ok"
    runtime = Runtime(kernel.mdock_home)
    (container,) = runtime.ps(running=True)
    kernel.manager.signal_kernel(9)
    assert until(lambda: not runtime.ps(running=True))
    ended = next(one for one in runtime.ps() if one.id == container.id)
    assert (ended.state, ended.record.exit_code) == ("exited", 143)
