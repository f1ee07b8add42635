"""``%mydock`` in a real kernel: the learner's own functions run a container, and mdock's where one is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from users_kernel import UsersKernel

from udock_lab.grading import SLUGS

ROOT = Path(__file__).resolve().parents[2]
GIVEN = "from udock_lab.grading import ContainerRecord, ExitInfo"
RUN = "r = %mydock run demo /bin/sh -c 'echo hello; exit 42'\nr"
CALLED = {  # a function of each part that every run calls
    "m2_1_process_creation": "launch(argv)",
    "m2_2_chroot_permissions": "enter(rootfs)",
    "m2_3_container_ids": "allocate(db)",
    "m2_4_metadata": "update(db, container_id, status, end_time, exit_code)",
    "m2_5_image_lookup": "find_image_by_name(db, name)",
    "m2_6_exec_failure": "run(argv)",
    "m2_7_mdock_run": "run(home, image, argv)",
}
NO_PRIVILEGE = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")


def cells(slug: str, of: str = "source") -> list[str]:
    """The solution cells of an exercise."""
    notebook = json.loads((ROOT / f"exercises/{of}/{slug}/{slug}.ipynb").read_text())
    solved = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    return ["".join(cell["source"]) for cell in solved]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path_factory.mktemp("mydock") / "home")
    yield kernel
    kernel.close()


@pytest.fixture
def kernel(shared: UsersKernel) -> UsersKernel:
    """The kernel with nothing written and nothing recorded."""
    assert shared.run(f"%reset -f\n{GIVEN}\n%mydock reset").status == "ok"
    return shared


def test_with_nothing_written_mdock_stands_in_and_says_where_to_write(kernel: UsersKernel) -> None:
    said = kernel.run("%mydock")
    assert "0 of 7 parts of this mdock are yours" in said.plain
    assert all(f"exercises/{slug}\n" in f"{said.plain}\n".replace(" \n", "\n") for slug in SLUGS)
    ran = kernel.run(RUN)
    assert "hello" in ran.stdout
    assert "ended with exit code 42" in ran.plain
    assert "Yours in this run: nothing yet" in ran.plain
    assert "(2)" not in ran.plain, "mdock's calls are not theirs"
    assert "The pid in the record is that of the process that goes into the image." in ran.plain
    assert kernel.run("r.info.code").plain == "42"
    assert re.fullmatch(r"'c1\|\d+\|demo\|exited\|[\dT:-]+\|[\dT:-]+\|42'", kernel.run("r.records[0]").plain)


def test_a_handed_out_notebook_counts_as_nothing_written(kernel: UsersKernel) -> None:
    for cell in cells("m2_7_mdock_run", "release"):
        assert kernel.run(cell).status == "ok"
    assert "0 of 7 parts" in kernel.run("%mydock").plain
    assert "ended with exit code 42" in kernel.run(RUN).plain


@pytest.mark.parametrize("slug", SLUGS)
def test_each_part_alone_is_called_and_mdock_does_the_rest(kernel: UsersKernel, slug: str) -> None:
    for cell in cells(slug):
        assert kernel.run(cell).status == "ok"
    said = kernel.run("%mydock").plain
    assert "1 of 7 parts of this mdock are yours" in said
    assert ("The whole run is yours" in said) == (slug == SLUGS[6])
    ran = kernel.run(RUN)
    assert "hello" in ran.stdout
    assert "ended with exit code 42" in ran.plain and "waitpid(2)" in ran.plain
    kernel.run(f"def {CALLED[slug]}:\n    raise ZeroDivisionError('called')")
    broken = kernel.run(RUN)
    assert "raised ZeroDivisionError: called" in broken.plain
    assert f"M2.{SLUGS.index(slug) + 1}" in broken.plain.splitlines()[0]
    assert "2  raise ZeroDivisionError('called')" in broken.plain


def test_all_six_parts_together_keep_the_table_that_ps_shows(kernel: UsersKernel) -> None:
    for slug in SLUGS[:6]:
        for cell in cells(slug):
            assert kernel.run(cell).status == "ok"
    assert "6 of 7 parts" in kernel.run("%mydock").plain
    assert "ended with exit code 42" in kernel.run(RUN).plain
    assert "did not start (errno 2), exit code 127" in kernel.run("%mydock run demo /bin/nosuch").plain
    assert "ended by signal 9" in kernel.run("%mydock run demo /bin/sh -c 'kill -9 $$'").plain
    table = kernel.run("%mydock ps").plain
    assert "3 records of your own mdock" in table
    codes = [line.split()[-1] for line in table.splitlines() if " demo " in line]
    assert codes == ["42", "127", "137"]


def test_the_whole_run_is_the_runtime_and_its_timeline_and_record_are_shown(kernel: UsersKernel) -> None:
    for cell in cells("m2_7_mdock_run"):
        assert kernel.run(cell).status == "ok"
    assert "calls your `become`, `begin`, `find_rootfs`, `finish`" in kernel.run("%mydock").plain
    ran = kernel.run(RUN)
    assert "ended with exit code 42, says your run (M2.7)" in ran.plain
    assert 'execve("/bin/sh"' in ran.plain
    assert 'class="life' in ran.html  # the lanes of the timeline
    assert str(ROOT / "udock_lab") not in ran.plain  # what is imported there is no call of theirs
    assert "raised LookupError: Image 'nosuch' not found" in kernel.run("%mydock run nosuch").plain


def test_mdocks_own_containers_are_never_touched(kernel: UsersKernel) -> None:
    kernel.run("%mdock demo")
    assert kernel.run("%mdock run demo -- /bin/true").status == "ok"
    table = kernel.mdock_home / "containers.db"
    before = table.read_bytes()
    assert kernel.run(RUN).status == "ok"
    assert table.read_bytes() == before
    assert kernel.run("%mydock reset").status == "ok"
    assert not (kernel.mdock_home / "mydock").exists()
    assert table.read_bytes() == before


def test_a_fault_of_theirs_is_told_with_their_own_line_and_no_traceback(kernel: UsersKernel) -> None:
    for cell in cells("m2_7_mdock_run"):
        kernel.run(cell)
    kernel.run("def finish(home, container, code):\n    where = {}\n    return where[container]")
    told = kernel.run(RUN)
    assert told.status == "ok"
    assert "Your run (M2.7) raised KeyError: 'c1'" in told.plain
    assert "3  return where[container]" in told.plain
    assert "Traceback" not in told.plain + told.stdout + told.stderr
    assert "running" in told.plain  # the record as it was left


def test_a_run_that_never_returns_is_ended_and_said(kernel: UsersKernel) -> None:
    kernel.run("import time\ndef run(home, image, argv):\n    time.sleep(600)")
    assert "Your run (M2.7) never came back" in kernel.run("%mydock run --timeout 1 demo").plain


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("None", "returned None"),
        ("(1, 2)", "returned (1, 2)"),
        ("ExitInfo(code=7)", "No record of this run is in the table"),
    ],
)
def test_what_comes_back_is_taken_at_its_word(kernel: UsersKernel, value: str, words: str) -> None:
    kernel.run(f"def run(home, image, argv):\n    return {value}")
    assert words in kernel.run("%mydock run demo").plain


def test_a_name_that_cannot_be_copied_is_named(kernel: UsersKernel) -> None:
    kernel.run("import socket\nopen_one = socket.socket()\ndef run(home, image, argv):\n    return open_one")
    told = kernel.run("%mydock run demo")
    assert told.ename == "UsageError"
    assert "'open_one'" in told.error


def test_functions_in_saved_notebooks_beside_this_one_are_found(kernel: UsersKernel, tmp_path: Path) -> None:
    for slug in (SLUGS[1], SLUGS[6]):
        shutil.copytree(ROOT / f"exercises/source/{slug}", tmp_path / slug)
    shutil.copytree(ROOT / f"exercises/release/{SLUGS[0]}", tmp_path / SLUGS[0])
    here = kernel.run("import os; os.getcwd()").plain
    kernel.run(f"os.chdir({str(tmp_path / SLUGS[6])!r})")
    try:
        said = kernel.run("%mydock").plain
        assert "2 of 7 parts" in said
        assert "yours, as it was saved" in said
        assert "ended with exit code 42, says your run (M2.7)" in kernel.run(RUN).plain
        shutil.rmtree(tmp_path / SLUGS[6])
        kernel.run(f"os.chdir({str(tmp_path / SLUGS[1])!r})")
        assert "Yours in this run: M2.2." in kernel.run(RUN).plain
    finally:
        kernel.run(f"import os; os.chdir({here})")


def test_a_lesson_beside_this_notebook_is_not_taken_for_its_exercise(kernel: UsersKernel, tmp_path: Path) -> None:
    lesson = f"{SLUGS[1]}.ipynb"  # both have this name
    shutil.copy(ROOT / "notebooks" / lesson, tmp_path / lesson)
    here = kernel.run("import os; os.getcwd()").plain
    kernel.run(f"os.chdir({str(tmp_path)!r})")
    try:
        assert f"exercises/{SLUGS[1]}" in kernel.run("%mydock").plain
    finally:
        kernel.run(f"import os; os.chdir({here})")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rn demo", "Did you mean run?"),
        ("run", "which image?"),
        ("run --rm demo", "no option --rm"),
        ("run --timeout", "needs a number of seconds"),
        ("ps -a", "takes no more words"),
        ("run 'demo", "cannot be split"),
    ],
)
def test_a_wrong_line_is_refused_with_what_to_write(kernel: UsersKernel, line: str, words: str) -> None:
    told = kernel.run(f"%mydock {line}")
    assert told.ename == "UsageError"
    assert words in told.error


def test_help_and_completion_know_the_commands(kernel: UsersKernel) -> None:
    assert "%mydock run" in kernel.run("%mydock -h").stdout
    for line, words in (("%mydock ", ["run", "ps", "reset"]), ("%mydock run d", ["demo"]), ("x = %mydock p", ["ps"])):
        reply = kernel.client.complete(line, reply=True, timeout=30)["content"]["matches"]
        assert reply == words


def test_the_extension_takes_the_magic_away_again(kernel: UsersKernel) -> None:
    kernel.run("%unload_ext udock_lab")
    try:
        assert "not found" in kernel.run("%mydock").stderr
    finally:
        assert kernel.run("%load_ext udock_lab").status == "ok"


def test_without_chroot_it_says_how_far_the_program_was_shut_in(tmp_path: Path) -> None:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("needs privilege: setpriv is installed by whoever may")
    written = "\n".join(["%load_ext udock_lab", GIVEN, *cells("m2_7_mdock_run"), RUN.replace("\nr", "\nprint(r)")])
    script = tmp_path / "cells.ipy"
    script.write_text(written)
    command = [
        *(NO_PRIVILEGE if os.geteuid() == 0 else ()),
        sys.executable,
        "-m",
        "IPython",
        "--no-banner",
        str(script),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"HOME": str(tmp_path)}, timeout=120
    )
    assert "ended with exit code 42, says your run (M2.7)" in done.stdout, done.stdout + done.stderr
    assert "chroot was refused (EPERM)" in done.stdout
