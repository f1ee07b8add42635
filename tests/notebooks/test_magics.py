"""``%mdock`` in a real IPython shell, and in a real kernel where timing, streams and Run All matter."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("IPython")

from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from udock_lab import RunResult, Runtime, UsageError
from udock_lab.errors import MdockError
from udock_lab.notebook.output import CELL_BYTES, CELL_LINES, CellOutput


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("magics") / ".mdock"
    runtime = Runtime(path)
    runtime.demo()
    yield path
    for container in runtime.ps(running=True):
        runtime.rm(container.id, force=True)
    runtime.close()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """A shell with the extension loaded and an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))  # else it leaves a thread
    shell.extension_manager.load_extension("udock_lab")
    yield shell
    shell.extension_manager.unload_extension("udock_lab")


@pytest.fixture
def ip(bare: InteractiveShell, home: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """The same with an image ``demo``."""
    monkeypatch.setenv("HOME", str(home.parent))
    return bare


def value(shell: InteractiveShell, code: str) -> Any:
    """The value of a cell's last line; raises what the cell raised."""
    outcome = shell.run_cell(code, silent=False)
    outcome.raise_error()
    return outcome.result


# --- without a container -------------------------------------------------------------------------------


def test_mdock_alone_shows_the_overview_as_text(bare: InteractiveShell) -> None:
    shown = value(bare, "%mdock")
    assert "usage: mdock COMMAND" in shown
    assert bare.display_formatter.format(shown)[0]["text/plain"] == str(shown)


def test_help_works_with_one_percent_sign_and_with_two(bare: InteractiveShell) -> None:
    page = value(bare, "%mdock run --help")
    assert page.startswith("usage: mdock run")
    assert value(bare, "%%mdock run --help\nbody") == page


def test_the_question_mark_shows_every_command(
    bare: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.run_cell("%mdock?")
    shown = capsys.readouterr().out
    assert "%%mdock run IMAGE" in shown
    assert "run a program in a new container" in shown


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mdock rnu demo", "Did you mean 'run'"),
        ("%mdock run 'demo", "Close the quotation mark"),
        ("%mdock run --mem lots demo true", "64M"),
        ("%mdock run demo", "%%mdock run demo"),
        ("%mdock run -it demo sh", "%%mdock run demo"),
        ("%%mdock run -t demo\necho", "%mdock run demo -- /bin/sh -c"),
        ("%mdock stop $(mdock ps -q)", "takes Python's variables too: !"),
        ("%mdock exec -d c1 sh", "mdock run -d"),
        ("%mdock exec -it c1 sh", "%mdock exec c1 -- /bin/sh -c"),
        ("%%mdock ps\necho", "only run takes a script"),
        ("%%mdock\necho", None),
    ],
)
def test_wrong_words_raise_a_usage_error_and_never_end_the_process(
    bare: InteractiveShell, cell: str, said: str | None
) -> None:
    if said is None:
        assert "usage: mdock" in value(bare, cell)
        return
    with pytest.raises(UsageError) as caught:
        value(bare, cell)
    assert said in str(caught.value)


def test_an_error_shows_its_message_and_no_traceback(
    bare: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.run_cell("%mdock rnu demo")
    captured = capsys.readouterr()
    assert "Did you mean 'run'?" in captured.out + captured.err
    assert "Traceback" not in captured.out + captured.err


def test_names_of_python_are_left_alone(bare: InteractiveShell) -> None:
    bare.user_ns["name"] = "put in"
    with pytest.raises(UsageError) as caught:
        value(bare, "%mdock $name{name}")
    assert "$name{name}" in str(caught.value)


def completions(shell: InteractiveShell, line: str) -> list[str]:
    with provisionalcompleter():
        found = list(shell.Completer.completions(line, len(line)))
    return [completion.text for completion in found]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%mdock im", ["images"]),
        ("%%mdock ru", ["run"]),
        ("x = %mdock run --me", ["--mem"]),
        ("%mdock rm --f", ["--force"]),
    ],
)
def test_tab_completes_commands_and_options(bare: InteractiveShell, line: str, found: list[str]) -> None:
    assert completions(bare, line) == found


def test_tab_elsewhere_is_left_alone(bare: InteractiveShell) -> None:
    bare.user_ns["images_of_mine"] = 1
    assert "images_of_mine" in completions(bare, "images_of_")


def test_loading_twice_and_unloading_leaves_nothing(bare: InteractiveShell) -> None:
    matchers = len(bare.Completer.custom_matchers)
    bare.extension_manager.reload_extension("udock_lab")
    assert len(bare.Completer.custom_matchers) == matchers
    bare.extension_manager.unload_extension("udock_lab")
    assert not {"mdock", "mydock", "reproduce"} & set(bare.magics_manager.magics["line"])
    assert [one for one in bare.Completer.custom_matchers if one.__module__.startswith("udock_lab")] == []
    bare.extension_manager.load_extension("udock_lab")


def test_loading_a_second_time_says_nothing_and_of_other_extensions_ipython_says_what_it_says(
    bare: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        bare.run_line_magic("load_ext", "udock_lab")
    assert capsys.readouterr() == ("", "")
    for _ in range(2):
        bare.run_line_magic("load_ext", "autoreload")
    assert "already loaded" in capsys.readouterr().out
    bare.extension_manager.unload_extension("udock_lab")
    assert "extension" in type(bare.find_line_magic("load_ext").__self__).__name__.lower()
    bare.extension_manager.load_extension("udock_lab")


def test_a_character_cut_in_two_is_shown_whole_and_a_broken_one_as_a_replacement() -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        output = CellOutput()
        for byte in "é€".encode():
            output.write("stdout", bytes([byte]))
        output.write("stdout", b"\xff")
        output.write("stdout", b"\xc3")
        output.finish("")
    assert out.getvalue() == "é€��"


@pytest.mark.parametrize("data", [b"x\n" * (CELL_LINES + 1), b"x" * (CELL_BYTES + 1)])
def test_the_cell_is_capped_with_a_line_that_says_where_the_rest_is(data: bytes) -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        output = CellOutput()
        for start in range(0, len(data), 1000):
            output.write("stdout", data[start : start + 1000])
        output.finish("the rest is there")
    assert out.getvalue().count("\n") <= CELL_LINES
    assert len(out.getvalue()) <= CELL_BYTES
    assert "[mdock] the rest is there\n" in err.getvalue()


@pytest.mark.parametrize("data", [b"x\n" * CELL_LINES, b"x" * CELL_BYTES])
def test_output_that_just_fits_is_not_capped(data: bytes) -> None:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        output = CellOutput()
        output.write("stdout", data)
        output.finish("the rest is there")
    assert out.getvalue().encode() == data


# --- with containers -----------------------------------------------------------------------------------


def test_run_returns_the_result_and_a_nonzero_exit_does_not_raise(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    result = value(ip, "result = %mdock run demo -- /bin/sh -c 'echo out; echo err >&2; exit 42'\nresult")
    captured = capsys.readouterr()
    assert isinstance(result, RunResult)
    assert result.exit_code == 42
    assert captured.out.startswith("out\n")
    assert "err\n" in captured.err


def test_the_result_of_a_bare_run_shows_as_text_and_as_html(ip: InteractiveShell) -> None:
    result = value(ip, "%mdock run demo -- /bin/sh -c 'exit 42'")
    forms, _ = ip.display_formatter.format(result)
    assert "42" in forms["text/plain"]
    assert "42" in forms["text/html"]


def test_the_cell_is_the_script_with_dollars_and_braces_untouched(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ip.user_ns["x"] = "put in"
    value(ip, "%%mdock run -e x=kept demo\necho $x {x} ${x}\n")
    assert capsys.readouterr().out.startswith("kept {x} kept\n")


def test_a_script_of_a_megabyte_is_run_to_its_end(ip: InteractiveShell) -> None:
    body = "# padding padding padding padding padding\n" * 26_000 + "echo the end\n"
    assert len(body) > 1_000_000
    assert value(ip, "%%mdock run demo\n" + body).text == "the end\n"


def test_tables_and_lists_come_back_as_values(ip: InteractiveShell) -> None:
    container = value(ip, "%mdock run -d demo -- /bin/sleep 60").id
    table = value(ip, "%mdock ps")
    assert container in [each.id for each in table]
    forms, _ = ip.display_formatter.format(table)
    assert container in forms["text/plain"]
    assert "<table" in forms["text/html"]
    stopped = value(ip, f"%mdock stop {container}")
    assert stopped == [container]
    assert ip.display_formatter.format(stopped)[0]["text/plain"] == container
    assert value(ip, f"%mdock wait {container}") == [143]
    assert container not in value(ip, "%mdock ps -q --running")


def test_doctor_images_and_inspect_have_a_form_to_show(ip: InteractiveShell) -> None:
    for command in ("doctor", "images", "inspect demo", "demo"):
        forms, _ = ip.display_formatter.format(value(ip, f"%mdock {command}"))
        assert "object at 0x" not in forms["text/plain"]
        assert "demo" in forms["text/plain"] or command == "doctor"


def test_formats_and_several_names_come_back_as_text_and_as_values(ip: InteractiveShell) -> None:
    container = value(ip, "%mdock run -e A=b demo -- /bin/true").id
    shown = value(ip, "%mdock inspect -f '{{.State.Status}} {{index .Config.Env 3}}' " + container)
    assert shown == "exited A=b" and ip.display_formatter.format(shown)[0]["text/plain"] == shown
    assert value(ip, f"%mdock ps --filter id={container} --format {{{{.Image}}}}") == "demo"
    several = value(ip, f"%mdock inspect {container} demo")
    forms, _ = ip.display_formatter.format(several)
    assert [entry["Id"] for entry in json.loads(forms["text/plain"])] == [container, "demo"]
    assert [one.data["Id"] for one in several] == [container, "demo"] and forms["text/html"].count("<pre") == 2
    with pytest.raises(UsageError, match="no field .Stat"):
        value(ip, "%mdock inspect -f {{.Stat}} demo")


def test_a_failing_command_raises_after_doing_what_it_could(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    container = value(ip, "%mdock run -d demo -- /bin/true").id
    value(ip, f"%mdock wait {container}")
    with pytest.raises(MdockError, match="c999999"):
        value(ip, f"%mdock rm c999999 {container}")
    assert container in capsys.readouterr().out
    assert container not in value(ip, "%mdock ps -q")


def test_a_pipe_in_a_line_that_no_shell_reads_is_pointed_out(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    value(ip, "%mdock run demo -- ls / | head -1")
    assert "%mdock run demo -- /bin/sh -c 'ls / | head -1'" in capsys.readouterr().err
    value(ip, "%mdock run demo -- echo '|'")
    assert "No shell" not in capsys.readouterr().err


def test_snapshots_are_part_of_the_result_and_of_its_card(ip: InteractiveShell) -> None:
    result = ip.run_line_magic("mdock", "run --snapshots demo -- /bin/true")
    assert [snapshot.moment for snapshot in result.snapshots] == ["at the gate", "before exec"]
    shown, _ = ip.display_formatter.format(result)
    assert "root directory" in shown["text/plain"]
    assert "What the steps changed in the process" in shown["text/html"]


def test_a_program_that_cannot_start_is_a_result(ip: InteractiveShell) -> None:
    result = value(ip, "%mdock run demo /bin/nonsense")
    assert result.exit_code == 127
    with pytest.raises(MdockError):
        result.check()


def test_a_long_output_is_capped_in_the_cell_and_whole_in_the_log(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    result = value(
        ip, "%mdock run demo -- /bin/sh -c 'i=0; while [ $i -lt 6000 ]; do echo $i; i=$((i+1)); done'"
    )
    captured = capsys.readouterr()
    assert f"[mdock] output continues in logs/{result.id}.log — %mdock logs {result.id}" in captured.err
    assert "\n4999\n" in captured.out
    assert "\n5000\n" not in captured.out
    assert len(Path(result.log_path).read_text().splitlines()) == 6000


def test_another_home_between_two_cells_is_another_runtime(
    ip: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(value(ip, "%mdock images")) == 1
    monkeypatch.setenv("MDOCK_HOME", str(tmp_path / "other"))
    assert len(value(ip, "%mdock images")) == 0


def test_tab_completes_images_and_containers(ip: InteractiveShell) -> None:
    container = value(ip, "%mdock run -d demo -- /bin/true").id
    value(ip, f"%mdock wait {container}")
    assert completions(ip, "%mdock run de") == ["demo"]
    assert completions(ip, "%mdock run --mem 64M de") == ["demo"]
    assert container in completions(ip, "%mdock logs c")
    assert "demo" in completions(ip, "%mdock inspect d")
    assert completions(ip, "%mdock ps --filter status=ex") == ["status=exited"]
    assert completions(ip, "%mdock ps --form") == ["--format"]
    assert completions(ip, "%mdock run --env-f") == ["--env-file"]


# --- in a real kernel ----------------------------------------------------------------------------------


class Kernel:
    """An ipykernel in a process of its own."""

    def __init__(self, home: Path) -> None:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=os.environ | {"HOME": str(home.parent)})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        assert self.run("%load_ext udock_lab")["status"] == "ok"

    def run(self, code: str, on_stdout: Callable[[], object] = bool) -> dict[str, Any]:
        """Streams, results, status."""
        said: dict[str, Any] = {"stdout": "", "stderr": "", "data": []}

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said[content["name"]] += content["text"]
                if content["name"] == "stdout":
                    on_stdout()
            elif message["msg_type"] in ("execute_result", "display_data"):
                said["data"].append(content["data"])

        reply = self.client.execute_interactive(code, output_hook=hear, timeout=60)
        return {**said, "status": reply["content"]["status"], "ename": reply["content"].get("ename")}

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(home: Path) -> Iterator[Kernel]:
    pytest.importorskip("ipykernel")
    started = Kernel(home)
    yield started
    started.close()


def test_figures_take_the_colours_of_the_page_while_the_extension_is_loaded(bare: InteractiveShell) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().set_title("bars")
    assert "currentColor" in bare.display_formatter.format(figure)[0]["text/html"]
    bare.extension_manager.unload_extension("udock_lab")
    assert "text/html" not in bare.display_formatter.format(figure)[0]
    bare.extension_manager.load_extension("udock_lab")


def test_in_a_kernel_the_inline_backend_leaves_figures_their_colours(kernel: Kernel) -> None:
    pytest.importorskip("matplotlib")
    said = kernel.run("import matplotlib.pyplot as plt\nplt.subplots()[1].set_title('bars');")
    assert "currentColor" in said["data"][0]["text/html"]
    assert "image/png" in said["data"][0]


def test_in_a_kernel_the_first_byte_shows_long_before_the_end(kernel: Kernel, home: Path) -> None:
    """The program goes on when its first word has been seen here."""
    seen = home / "images/demo/rootfs/tmp/seen"
    seen.parent.mkdir(exist_ok=True)
    code = "%mdock run demo -- /bin/sh -c 'echo first; until test -e /tmp/seen; do sleep 0.02; done; echo second'"
    assert kernel.run(code, on_stdout=seen.touch)["stdout"] == "first\nsecond\n"


def test_in_a_kernel_a_bare_run_shows_its_result_once(kernel: Kernel) -> None:
    said = kernel.run("%mdock run demo -- /bin/sh -c 'exit 3'")
    assert len(said["data"]) == 1
    assert set(said["data"][0]) >= {"text/plain", "text/html"}
    assert said["status"] == "ok"


def test_in_a_kernel_a_failing_command_stops_run_all(kernel: Kernel) -> None:
    said = kernel.run("%mdock run nosuchimage -- /bin/true\nprint('went on')")
    assert (said["status"], said["ename"]) == ("error", "NotFound")
    assert "went on" not in said["stdout"]


def test_in_a_kernel_following_a_log_can_be_interrupted(kernel: Kernel) -> None:
    kernel.run("c = %mdock run -d demo -- /bin/sh -c 'echo begun; sleep 60'")
    code = "get_ipython().run_line_magic('mdock', f'logs -f {c.id}')"
    said = kernel.run(code, on_stdout=kernel.manager.interrupt_kernel)
    assert (said["status"], said["ename"]) == ("error", "Interrupted")
    assert said["stdout"] == "begun\n"
    alive = kernel.run("print(*get_ipython().run_line_magic('mdock', 'ps -q --running'))")["stdout"].split()
    assert kernel.run("get_ipython().run_line_magic('mdock', f'rm -f {c.id}')")["status"] == "ok"
    assert len(alive) >= 1
