"""The stop button ends the cell that runs and the cells that wait behind it, as for any other code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("ipykernel")

from users_kernel import UsersKernel
from waiting import until

BEGUN = "print('begun', flush=True)\n"
WAITING = "print('the next cell ran')"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path_factory.mktemp("interrupts") / "home")
    assert kernel.run("%mdock demo").status == "ok"
    assert kernel.run("%mdock run -d demo -- sh -c 'echo begun; sleep 600'").status == "ok"
    yield kernel
    kernel.run("%mdock rm -f c1")
    kernel.close()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mdock logs -f c1", "no longer following; the container itself was not touched"),
        (f"{BEGUN}%mdock wait c1", "mdock wait was interrupted"),
        ("%mdock run demo -- sh -c 'echo begun; exec sleep 600'", "was interrupted: exit 130"),
        ("%%mdock run demo\necho begun\nsleep 600", "was interrupted: exit"),
        ("%%sandbox --timeout 100\nimport time\nprint('begun', flush=True)\ntime.sleep(90)", "the sandbox was interrupted"),
        ("%time get_ipython().run_line_magic('mdock', 'logs -f c1')", "no longer following"),
    ],
)  # fmt: skip
def test_interrupt_stops_the_cells_that_wait(kernel: UsersKernel, cell: str, said: str) -> None:
    running, waiting = kernel.begin(cell), kernel.begin(WAITING)
    seen: list[str] = []

    def begun() -> bool:
        message = kernel.client.get_iopub_msg(timeout=60)
        seen.append(str(message["content"].get("text", "")))
        return "begun" in "".join(seen)

    assert until(begun, 60)
    kernel.interrupt()
    ended = kernel.end_of(running)
    assert ended.status == "error" and said in ended.error
    assert kernel.client.get_shell_msg(timeout=60)["content"]["status"] == "aborted"
    assert kernel.run("1").status == "ok", waiting


def test_following_that_was_interrupted_leaves_the_container_alone(kernel: UsersKernel) -> None:
    assert "running" in kernel.run("%mdock ps --running").plain
