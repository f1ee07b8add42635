"""The registry, the results that have no noun in the model, the suggestions and the arrows between files."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import NoReturn

import pytest

from udock_lab.commands import COMMANDS, Context, dispatch, overview
from udock_lab.commands.completing import candidates
from udock_lab.commands.results import Containers, Images, Lines, Text, tell
from udock_lab.commands.several import each
from udock_lab.errors import MdockError, NotFound, UsageError
from udock_lab.model import Container, Image, Record, Status
from udock_lab.text.terminal import printable

ISSUED = {
    "build", "demo", "images", "rmi", "run", "ps", "stop", "kill", "wait", "rm", "prune", "logs", "exec",
    "inspect", "rootfs", "doctor", "config", "version", "completion",
}  # fmt: skip


def no_runtime() -> NoReturn:
    raise AssertionError("this command needs no runtime")


class Heard:
    """A face that remembers."""

    def __init__(self, **face: object) -> None:
        self.stdout = b""
        self.stderr = b""
        self.notes: list[str] = []
        self.context = Context(no_runtime, self.out, self.notes.append, environ={}, **face)  # type: ignore[arg-type]

    def out(self, stream: str, data: bytes) -> None:
        if stream == "stdout":
            self.stdout += data
        else:
            self.stderr += data


def test_there_is_one_definition_of_every_subcommand() -> None:
    assert set(COMMANDS) == ISSUED
    assert all(name == command.name for name, command in COMMANDS.items())


def test_the_overview_names_every_command() -> None:
    assert all(re.search(rf"^  {name} +{re.escape(COMMANDS[name].summary)}$", overview(), re.M) for name in ISSUED)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_mdock_alone_shows_the_overview_without_a_runtime(words: list[str]) -> None:
    assert dispatch(words, Heard().context).value == overview()


@pytest.mark.parametrize(
    ("typed", "near"), [("rnu", "run"), ("inspct", "inspect"), ("imags", "images"), ("RUN", "run")]
)
def test_an_unknown_command_suggests_the_nearest_one(typed: str, near: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        dispatch([typed], Heard().context)
    assert (f"Did you mean '{near}'?" in str(caught.value)) == (near is not None)
    assert "mdock --help" in str(caught.value)


def test_every_form_of_help_shows_the_same_page() -> None:
    face = Heard().context
    page = dispatch(["run", "--help"], face).value
    assert page == dispatch(["help", "run"], face).value == dispatch(["run", "-dh"], face).value


@pytest.mark.parametrize(
    "words",
    [["run", "demo"], ["run", "-it", "demo", "sh"], ["run", "-i", "demo", "cat"]],
)
def test_a_cell_without_script_is_told_what_to_do_instead_of_a_terminal(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        dispatch(words, Heard(in_cell=True).context)
    assert "%%mdock run demo" in caught.value.hint
    assert "%mdock run demo -- /bin/sh -c" in caught.value.hint


def test_exec_in_a_cell_is_told_of_exec_and_not_of_a_script() -> None:
    with pytest.raises(UsageError) as caught:
        dispatch(["exec", "-t", "c1", "sh"], Heard(in_cell=True).context)
    assert "%mdock exec c1 -- /bin/sh -c" in caught.value.hint
    assert "script" not in caught.value.hint


def test_dash_it_from_a_pipe_gives_dockers_error() -> None:
    with pytest.raises(UsageError, match="the input device is not a terminal"):
        dispatch(["run", "-it", "demo"], Heard(stdin=0).context)


def test_a_wrong_limit_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(UsageError):
        dispatch(["run", "--mem", "64Q", "demo"], Heard().context)


def test_exit_codes_follow_docker() -> None:
    usage, missing = UsageError("?"), NotFound("?")
    assert COMMANDS["run"].exit_code_of(usage) == COMMANDS["exec"].exit_code_of(missing) == 125
    assert COMMANDS["rm"].exit_code_of(usage) == 2
    assert COMMANDS["rm"].exit_code_of(missing) == 1


def _only_even(name: str) -> int | None:
    if int(name) % 2:
        raise NotFound(f"{name} is odd")
    return None if name == "0" else int(name) * 10


def test_several_names_are_all_done_and_one_failure_makes_exit_code_1() -> None:
    face = Heard()
    outcome = each(["1", "2", "3", "0"], _only_even, face.context)
    assert outcome.exit_code == 1
    assert outcome.value == [20, "0"]
    assert face.stdout == b"20\n0\n"
    assert face.notes == ["1 is odd", "3 is odd"]
    assert [error.message for error in outcome.errors] == face.notes


def test_in_a_cell_several_names_say_nothing_by_themselves() -> None:
    face = Heard(in_cell=True)
    outcome = each(["1", "2"], _only_even, face.context)
    assert (face.stdout, face.notes) == (b"", [])
    assert str(outcome.value) == "20"


def _container(command: str = "/bin/sh", state: str = "running", uptime: float | None = 3725.9) -> Container:
    record = Record(id="c1", pid=7, image="demo", status=Status.RUNNING, start_time="2025-01-01T10:00:00")
    return Container(record=record, state=state, alive=True, uptime=uptime, command=command)


def test_the_table_of_containers_has_both_forms_with_the_same_cells() -> None:
    table = Containers([_container()])
    text, page = str(table), table._repr_html_()
    for cell in ("c1", "demo", "7", "running", "01:02:05", "/bin/sh", "2025-01-01T10:00:00"):
        assert cell in text
        assert f">{cell}</t" in page
    assert table[0].id == "c1"


def test_a_command_can_neither_steer_the_terminal_nor_the_page() -> None:
    table = Containers([_container("\x1b[2J<script>\n\udcff")])
    assert "\x1b" not in str(table)
    assert len(str(table).splitlines()) == 2
    assert "<script>" not in table._repr_html_()
    str(table).encode()


@pytest.mark.parametrize("table", [Images(), Containers()])
def test_an_empty_table_says_so(table: Images | Containers) -> None:
    assert table.empty in str(table)
    assert table.empty in table._repr_html_()


def test_text_forms_of_simple_values() -> None:
    image = Image(name="demo", rootfs="/x/rootfs", created="2025-01-01T10:00:00")
    assert tell(image) == "Image 'demo' is ready: /x/rootfs"
    assert tell(Lines(["c1", "c2"])) == "c1\nc2"
    assert tell(Text("as it is")) == "as it is"
    assert printable("tab\tend") == "tab\\tend"


@pytest.mark.parametrize(
    ("before", "current", "found"),
    [
        ([], "ru", ["run"]),
        (["run"], "--me", ["--mem"]),
        (["kill", "-s"], "SIGTER", ["SIGTERM"]),
        (["nonsense"], "", []),
        (["run", "-w"], "", []),
        (["run", "demo"], "-", []),
    ],
)
def test_completion_without_a_runtime(before: list[str], current: str, found: list[str]) -> None:
    assert [word for word, _ in candidates(before, current, no_runtime)] == found


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    code = "import sys, udock_lab; print([name for name in sys.modules if name.startswith('udock_lab.')])"
    assert _python(code) == "[]\n"


def test_every_public_name_of_the_package_can_be_had() -> None:
    code = "from udock_lab import *; import udock_lab; print(len(dir(udock_lab)) > 20)"
    assert _python(code) == "True\n"


def test_a_name_the_package_lacks_is_an_attribute_error() -> None:
    import udock_lab

    with pytest.raises(AttributeError, match="nothing_such"):
        _ = udock_lab.nothing_such


def test_elsewhere_than_on_linux_the_extension_says_so_in_one_sentence() -> None:
    code = (
        "import sys; sys.platform = 'darwin'\n"
        "import udock_lab\n"
        "try: udock_lab.load_ipython_extension(None)\n"
        "except udock_lab.Unsupported as error: print(error)"
    )
    said = _python(code)
    assert said.count(".") == 1
    for way in ("dev container", "VM", "WSL2"):
        assert way in said


def test_errors_show_in_ipython_without_a_traceback() -> None:
    assert MdockError("what", "then")._render_traceback_() == ["MdockError: what\nthen"]
