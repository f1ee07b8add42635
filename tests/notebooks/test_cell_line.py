"""A line of ``%mdock`` is no shell's: what only a shell would understand is said, and what is quoted is left alone."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell

from udock_lab import Runtime
from udock_lab.commands.cellline import bare_words
from udock_lab.errors import UsageError


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    """A shell with the extension loaded and a home with the image ``demo`` and the running container c1."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("line")
        patch.setenv("HOME", str(folder))
        runtime = Runtime(folder / ".mdock")
        runtime.demo()
        runtime.run("demo", ["/bin/sleep", "600"], detach=True)
        shell = InteractiveShell()
        shell.history_manager.enabled = False
        shell.extension_manager.load_extension("udock_lab")
        yield shell
        runtime.rm("c1", force=True)
        shell.extension_manager.unload_extension("udock_lab")


def said(shell: InteractiveShell, cell: str) -> tuple[str, str, BaseException | None]:
    """Standard output and standard error of a cell, and what it raised."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        done = shell.run_cell(cell)
    return out.getvalue(), err.getvalue(), done.error_in_exec


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("%mdock ps | head", "the shell's |"),
        ("%mdock ps|head", "the shell's ps|head"),
        ("%mdock ps;;", "the shell's ps;"),
        ("%mdock ps; ls", "the shell's ps;"),
        ("%mdock ps && ls", "the shell's &&"),
        ("%mdock ps > file", "the shell's >"),
        ("%mdock ps >file", "the shell's >file"),
        ("%mdock logs c1 2>/dev/null", "the shell's 2>/dev/null"),
        ("%mdock ps # all of them", "the comment #"),
        ("%mdock ps #all", "the comment #all"),
        ("%mdock stop $x", "the variable $x"),
        ("%mdock stop ${x}", "the variable ${x}"),
        ("%mdock stop {x}", "the variable {x}"),
        ("%mdock stop {result.id}", "the variable {result.id}"),
        ("%mdock stop $(mdock ps -q)", "the variable $(mdock"),
        ("%mdock stop `mdock ps -q`", "the variable `mdock"),
        ("%mdock build mine $folder", "the variable $folder"),
        ("%mdock run $image -- true", "the variable $image"),
        ("%mdock run -e A=$x demo true", "the variable A=$x"),
        ("%mdock run -e A={x} demo true", "the variable A={x}"),
        ("%mdock exec $id true", "the variable $id"),
        ("%%mdock run $image\necho hello", "the variable $image"),
        ("x = %mdock ps | head", "the shell's |"),
    ],
)
def test_what_only_a_shell_understands_is_refused_among_mdocks_own_words(
    shell: InteractiveShell, cell: str, word: str
) -> None:
    _, _, error = said(shell, cell)
    assert isinstance(error, UsageError), cell
    assert "no shell and no variable is read on this line" in error.message and word in error.message
    typed = cell.partition("\n")[0].removeprefix("x = ").lstrip("%").removesuffix(";;")
    assert "!" in error.hint and typed.removeprefix("mdock") in error.hint


@pytest.mark.parametrize(
    ("cell", "out", "word"),
    [
        ("%mdock run demo -- echo hi | head", "hi | head\n", "|"),
        ("%mdock run demo -- echo hi > file", "hi > file\n", ">"),
        ("%mdock run demo -- echo hi >file", "hi >file\n", ">file"),
        ("%mdock run demo -- echo hi; ls", "hi; ls\n", "hi;"),
        ("%mdock run demo -- echo hi && ls", "hi && ls\n", "&&"),
        ("%mdock run demo -- echo hi # a comment", "hi # a comment\n", "#"),
        ("%mdock run demo echo $HOME", "$HOME\n", "$HOME"),
        ("%mdock run demo -- echo {name}", "{name}\n", "{name}"),
        ("%mdock exec c1 -- echo hi | head", "hi | head\n", "|"),
    ],
)
def test_behind_the_image_it_reaches_the_program_and_that_is_said(
    shell: InteractiveShell, cell: str, out: str, word: str
) -> None:
    shown, told, error = said(shell, cell)
    assert error is None and out in shown
    assert f"No shell and no variable is read on this line, so {word} went to echo as it is." in told
    where, program = cell.removeprefix("%mdock ").replace(" -- ", " ").split(" echo ")
    assert f"%mdock {where} -- /bin/sh -c {shlex.quote(f'echo {program}')}" in told


@pytest.mark.parametrize(
    "words",
    [
        "sh -c 'ls / | head -1'",
        "sh -c 'echo a; echo b && echo c > /dev/null # done'",
        'sh -c "echo $HOME; ls | head -1"',
        "echo '|' \"&&\" '#' '{x}' \\; \\$x",
        "find /etc -maxdepth 0 -exec echo {} \\;",
        "echo http://host/?a=1&b=2 a#b a=b|c --x=<y>",
        "awk 'BEGIN {print 1 > \"/dev/stderr\"}'",
    ],
)
@pytest.mark.parametrize("start", ["run demo --", "run demo", "exec c1 --", "run -e 'A=$x | y' demo --"])
def test_what_is_quoted_or_part_of_a_word_goes_without_a_complaint(
    shell: InteractiveShell, start: str, words: str
) -> None:
    _, told, error = said(shell, f"%mdock {start} {words}")
    assert error is None and "No shell" not in told


def test_a_script_in_the_cell_is_a_shells_and_nothing_is_said_of_it(shell: InteractiveShell) -> None:
    shown, told, error = said(shell, "%%mdock run demo\nx=3; echo $x | cat # three\n")
    assert error is None and "3\n" in shown and "No shell" not in told


def test_help_and_docstring_say_how_the_line_is_read(shell: InteractiveShell) -> None:
    assert "In a notebook no shell and no variable is read" in said(shell, "page = %mdock -h\nprint(page)")[0]
    assert "Quote what is meant so" in str(shell.find_line_magic("mdock").__doc__)


@given(st.text(st.sampled_from("ab \t'\"\\|#$;{}\n"), max_size=30))
def test_the_words_are_those_of_shlex_and_what_is_bare_stands_in_them(line: str) -> None:
    try:
        words = shlex.split(line)
    except ValueError:
        return
    bare = bare_words(line)
    assert len(bare) == len(words)
    for whole, word in zip(words, bare, strict=True):
        assert len(whole) == len(word) and all(mine in ("\0", char) for mine, char in zip(word, whole, strict=True))


QUIET = ["%mdock ps;", "%mdock ps ;", "%mdock images;  ", "%mdock inspect c1;", "%mdock inspect --format '{{.Id}}' 'c1';",
         "%mdock -h;", "%mdock run demo -- true;", "%mdock run demo true ;", "%%mdock run demo;\ntrue",
         "%%sandbox --timeout 9;\npass"]  # fmt: skip


@pytest.mark.parametrize("cell", QUIET)
def test_semicolon_at_the_end_shows_no_result(shell: InteractiveShell, cell: str) -> None:
    assert said(shell, cell) == ("", "", None)
    shown, _, error = said(shell, cell.replace(";", "", 1))
    assert shown and error is None


@pytest.mark.parametrize("cell", ["r = %mdock run demo -- sh -c 'exit 3';", "%mdock run demo -- sh -c 'exit 3';\nr = _last"])
def test_assigned_result_is_there_in_spite_of_its_semicolon(shell: InteractiveShell, cell: str) -> None:
    said(shell, "r = None\n_last = %mdock run demo -- sh -c 'exit 3'")
    assert said(shell, cell) == ("", "", None)
    assert shell.user_ns["r"].exit_code == 3
    assert "exited with code 3" in said(shell, "r")[0]


@pytest.mark.parametrize(
    ("cell", "printed"),
    [
        ("%mdock run demo -- echo one;", "one\n"),
        ("%mdock run demo -- sh -c 'echo one; echo two;';", "one\ntwo\n"),
        ("%mdock run demo -- echo 'one;';", "one;\n"),
        ("%%sandbox -o kept;\nprint('one')", "one\n"),
    ],
)
def test_program_behind_a_semicolon_still_prints_and_never_gets_it(
    shell: InteractiveShell, cell: str, printed: str
) -> None:
    out, err, error = said(shell, cell)
    assert out.endswith(printed) and (err, error) == ("", None)


@pytest.mark.parametrize("end", ["\\;", "';'", '";"'])
def test_quoted_semicolon_at_the_end_is_the_programs(shell: InteractiveShell, end: str) -> None:
    out, err, error = said(shell, f"%mdock run demo -- echo {end}")
    assert out.startswith(";\n") and "exited with code 0" in out and (err, error) == ("", None)


def test_mistake_before_a_semicolon_is_told(shell: InteractiveShell) -> None:
    out, _, error = said(shell, "%mdock inspect c999;")
    assert "c999" in str(error) and ";" not in str(error)


@pytest.mark.parametrize("found", ["", f"{Path(sys.executable).parent}:"])
def test_the_shells_line_that_is_named_works_in_this_kernel(shell: InteractiveShell, found: str) -> None:
    """Also in a kernel that a server of another environment has started: its PATH lacks mdock."""
    before = os.environ["PATH"]
    try:
        said(shell, f"import os\nos.environ['PATH'] = {found + os.defpath!r}")
        _, _, error = said(shell, "%mdock ps -a | cat")
        assert isinstance(error, UsageError)
        assert ("!mdock ps" in error.hint) == bool(found)
        said(shell, f"lines = {error.hint[error.hint.index('!') :]}")
    finally:
        os.environ["PATH"] = before
    assert "CONTAINER ID" in shell.user_ns["lines"][0]
