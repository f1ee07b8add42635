"""A time limit by ``signal.alarm``: what the notebook's handler raises reaches the cell as it is, and nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("ipykernel")

from users_kernel import UsersKernel
from waiting import until

LIMIT = """
import functools, signal, sys
class Late({base}):
    pass
class Handler:
    def __call__(self, number, frame):
        raise Late("too late")
    method = __call__
def late(*context):
    raise Late("too late")
"""
WITHIN_A_SECOND = """
signal.signal(signal.SIGALRM, {handler})
signal.alarm(1)
try:
    get_ipython().{magic}
except Late as error:
    print("limit:", error.args[0])
finally:
    signal.alarm(0)
"""
RUN = "run_line_magic('mdock', 'run demo -- sleep 600')"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path_factory.mktemp("limits") / "home")
    assert kernel.run("%mdock demo").status == "ok"
    yield kernel
    kernel.close()


@pytest.mark.parametrize("base", ["Exception", "TimeoutError", "ValueError"])
@pytest.mark.parametrize(
    "magic",
    [
        RUN,
        "run_line_magic('mdock', 'run demo -- yes')",
        "run_cell_magic('mdock', 'run demo', 'sleep 600')",
        "run_cell_magic('sandbox', '', 'import time; time.sleep(50)')",
    ],
)
def test_time_limits_exception_reaches_the_cell_as_it_is(kernel: UsersKernel, base: str, magic: str) -> None:
    kernel.run(LIMIT.format(base=base))
    cell = kernel.run(WITHIN_A_SECOND.format(handler="late", magic=magic))
    assert cell.status == "ok" and cell.stdout.endswith("limit: too late\n"), cell.error
    assert "mdock itself has failed" not in cell.stderr and "takes no more" not in cell.stderr
    running = "print(get_ipython().run_line_magic('mdock', 'ps --running -q'))"
    assert until(lambda: kernel.run(running).stdout.strip() == "")  # it gets SIGTERM, as when its caller dies


@pytest.mark.parametrize("handler", ["functools.partial(late, 3)", "Handler()", "Handler().method", "lambda *_: late()"])
def test_any_form_of_handler_is_known(kernel: UsersKernel, handler: str) -> None:
    kernel.run(LIMIT.format(base="Exception"))
    assert kernel.run(WITHIN_A_SECOND.format(handler=handler, magic=RUN)).stdout == "limit: too late\n"
