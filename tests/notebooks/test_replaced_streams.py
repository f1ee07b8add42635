"""A cell that has put something else in the place of sys.stdout: the program runs to its end, and the result is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")

from users_kernel import UsersKernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path_factory.mktemp("streams") / "home")
    assert kernel.run("import sys\nown = sys.stdout\n%mdock demo").status == "ok"
    yield kernel
    kernel.close()


def replaced(by: str, stream: str = "sys.stdout") -> str:
    """A cell that runs a program and a sandbox while the stream is another; it ends with the program's exit code."""
    return f"""
was = {stream}
try:
    {stream} = {by}
    r = get_ipython().run_line_magic("mdock", "run demo -- sh -c 'echo sagt: är; echo err >&2; exit 7'")
    s = get_ipython().run_cell_magic("sandbox", "", "print('from the sandbox')")
finally:
    {stream} = was
print("code", r.exit_code, s.verdict)
"""


OUTCOME = "code 7 one process; it exited with code 0."
ONLY_WRITE = 'type("OnlyWrite", (), {"write": lambda self, text: own.write(text.upper())})()'


def test_stream_that_has_nothing_but_write_is_written_as_print_does(kernel: UsersKernel) -> None:
    cell = kernel.run(replaced(ONLY_WRITE))
    assert (cell.status, cell.stderr) == ("ok", "err\n")
    assert "SAGT: ÄR\n" in cell.stdout and "FROM THE SANDBOX\n" in cell.stdout and OUTCOME in cell.stdout


@pytest.mark.parametrize("stream", ["sys.stdout", "sys.stderr"])
def test_where_there_is_no_stream_nothing_is_shown_as_print_does(kernel: UsersKernel, stream: str) -> None:
    cell = kernel.run(replaced("None", stream))
    assert cell.status == "ok" and OUTCOME in cell.stdout
    assert ("sagt" in cell.stdout) == (stream == "sys.stderr") and ("err" in cell.stderr) == (stream == "sys.stdout")


def test_file_in_ascii_gets_what_it_cannot_hold_escaped(kernel: UsersKernel, tmp_path: Path) -> None:
    cell = kernel.run(replaced(f"open({str(tmp_path / 'out')!r}, 'w', encoding='ascii', buffering=1)"))
    assert cell.status == "ok" and OUTCOME in cell.stdout
    assert "sagt: \\xe4r\n" in (tmp_path / "out").read_text()


@pytest.mark.parametrize(
    "broken, why",
    [
        ("(lambda file: file.close() or file)(open('/dev/null', 'w'))", "I/O operation on closed file."),
        ("open('/dev/full', 'w')", "No space left on device."),
        ('type("Own", (), {"write": lambda self, text: 1 / 0, "flush": lambda self: None})()', "division by zero."),
    ],
)
def test_stream_that_fails_is_named_and_the_program_runs_to_its_end(
    kernel: UsersKernel, broken: str, why: str
) -> None:
    cell = kernel.run(replaced(broken))
    assert cell.status == "ok" and OUTCOME in cell.stdout
    assert "[mdock] sys.stdout, which was replaced, takes no more: " in cell.stderr and f"{why}\n" in cell.stderr
    assert "output continues in logs/c" in cell.stderr
    log = kernel.run("print(get_ipython().run_line_magic('mdock', f'logs {r.id}'))")
    assert "sagt: är" in log.stdout
