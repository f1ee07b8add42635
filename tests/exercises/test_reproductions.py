"""``%reproduce``: each failed requirement becomes a cell in which the learner's own function is seen to fail."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import EXERCISES, SOURCE, answers

from udock_lab.grading.reproduction import written
from udock_lab.grading.sources import exercise
from udock_lab.sandbox import run

jupyter_client = pytest.importorskip("jupyter_client")

NAMES = "from udock_lab.grading import ContainerRecord, ExitInfo, check\n"
# Seen in no program of some lines: another process would have to look on, or the time be right.
NOT_SHOWN = {
    ("m2_3_container_ids", "wrong_child_takes_the_lock"),
    ("m2_3_container_ids", "wrong_lock_of_a_passing_object"),
    ("m2_3_container_ids", "wrong_looks_at_the_last_byte_first"),
    ("m2_3_container_ids", "wrong_measures_first"),
    ("m2_3_container_ids", "wrong_reads_again_only_if_it_waited"),
    ("m2_4_metadata", "wrong_completes_the_last_torn_line"),
    ("m2_5_image_lookup", "wrong_backslashreplace"),
    ("m2_7_mdock_run", "wrong_asks_for_any_child"),
    ("m2_7_mdock_run", "wrong_base_name"),
    ("m2_7_mdock_run", "wrong_end_is_start"),
    ("m2_7_mdock_run", "wrong_moved_to_the_end"),
    ("m2_7_mdock_run", "wrong_backup_first"),
}


def solution(slug: str) -> str:
    """What the lecturer's notebook has in its solution cells."""
    cells = json.loads((SOURCE / slug / f"{slug}.ipynb").read_text())["cells"]
    mine = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution")]
    return "\n".join("".join(cell["source"]) for cell in mine)


def wrong_answers(slug: str) -> dict[str, str]:
    """One wrong answer for each public requirement, by its key."""
    found: dict[str, str] = {}
    for answer in answers(slug):
        if not answer.right and not answer.in_hidden and (slug, answer.name) not in NOT_SHOWN:
            found.setdefault(answer.fails, answer.source)
    return found


@pytest.mark.parametrize("slug", EXERCISES)
def test_every_requirement_that_a_learner_can_check_has_a_reproduction(slug: str) -> None:
    made = exercise(slug)
    assert [one.key for one in made.reproductions] == [one.key for one in made.requirements]


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("slug", EXERCISES)
def test_a_right_answer_prints_what_the_cell_says_with_all_of_its_values(slug: str) -> None:
    for one in exercise(slug).reproductions:
        for values in one.ways({}):
            done = run(f"{NAMES}{solution(slug)}\n{one.program(values)}", watch=False, timeout=20)
            assert one.is_right(values, done.stdout), (one.key, values, done.stdout, done.stderr)
            assert done.ended_by == "end"


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("slug", EXERCISES)
def test_a_wrong_answer_prints_something_else_with_some_of_its_values(slug: str) -> None:
    reproductions = {one.key: one for one in exercise(slug).reproductions}
    unseen = []
    for key, source in wrong_answers(slug).items():
        one = reproductions[key]
        for values in one.ways({}):
            done = run(f"{NAMES}{source}\n{one.program(values)}", watch=False, timeout=one.seconds)
            if done.ended_by != "end" or not one.is_right(values, done.stdout):
                break
        else:
            unseen.append((key, source.splitlines()[0]))
    assert unseen == []


def test_values_are_written_as_a_learner_would_write_them() -> None:
    assert written(42) == "42"
    assert written(["/bin/sh", "-c", "exit 3"]) == "['/bin/sh', '-c', 'exit 3']"
    assert written(b"c1|" + b"x" * 70_000 + b"|\xff\n") == "b'c1|' + b'x' * 70000 + b'|\\xff\\n'"
    long = [b"c%d|4711|demo|exited|2026-01-01T10:00:00|2026-01-01T10:00:01|0\n" % number for number in (1, 2)]
    assert written(long).split("\n")[0::3] == ["[", "]"]
    for value in (long, "déjà \n" * 40, b"", None, {"a": b"\n"}):
        assert eval(written(value)) == value


# -- in a real kernel -------------------------------------------------------------------------------------


MARK = re.compile(r"^\x1b\[[\d;]+m \x1b\[0m .*?│ ", re.MULTILINE)


class Kernel:
    """A notebook without a page: what a cell printed, its error, and the cell that it put below."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def cell(self, code: str) -> tuple[str, str, str]:
        """Without the marks of the processes that printed."""
        printed, page, below = "", "", ""

        def hear(message: dict[str, Any]) -> None:
            nonlocal printed, page
            content = message["content"]
            if message["msg_type"] == "stream":
                printed += content["text"]
            elif message["msg_type"] == "execute_result":
                page += content["data"].get("text/html", "")
            elif message["msg_type"] == "error":
                printed += f"{content['ename']}: {content['evalue']}"

        reply = self.client.execute_interactive(code, timeout=120, output_hook=hear)
        for one in reply["content"]["payload"]:
            below += one["text"] if one["source"] == "set_next_input" else ""
        return MARK.sub("", printed), page, below


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"HOME": str(folder)}, cwd=folder)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    made = Kernel(client)
    made.cell("%load_ext udock_lab")
    yield made
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def check_of(slug: str) -> str:
    return f'score = check("{slug}", {", ".join(exercise(slug).functions)})\nscore'


def test_without_a_check_it_says_what_to_type(kernel: Kernel) -> None:
    printed, _, below = kernel.cell("%reproduce 1")
    assert "Run the cell with check(...) first" in printed
    assert below == ""


# In each the learner's function comes back, and says something that is not so.
SHOWN = {
    "m2_1_process_creation": "code",
    "m2_2_chroot_permissions": "raised",
    "m2_3_container_ids": "junk",
    "m2_4_metadata": "others",
    "m2_5_image_lookup": "damaged",
    "m2_6_exec_failure": "missing",
    "m2_7_mdock_run": "ends",
}


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("slug", EXERCISES)
def test_the_cell_below_shows_the_failure_and_then_that_a_right_answer_is_right(kernel: Kernel, slug: str) -> None:
    kernel.cell(NAMES + wrong_answers(slug)[SHOWN[slug]])
    _, page, _ = kernel.cell(check_of(slug))
    keys = [one.key for one in exercise(slug).requirements]
    number = keys.index(SHOWN[slug]) + 1
    assert f"<code>%reproduce {number}</code>" in page
    printed, _, below = kernel.cell(f"%reproduce {number}")
    assert below.startswith("%%sandbox --trace"), printed
    right = [line[6:] for line in below.splitlines() if line.startswith("#     ")]
    assert "This time your answer prints what a right one does" not in below
    shown = kernel.cell(below)[0]
    assert shown.splitlines()[: len(right)] != right
    kernel.cell(NAMES + solution(slug))
    shown, page, _ = kernel.cell(below)
    assert shown.splitlines()[: len(right)] == right, shown
    assert "udock" in page  # the timeline of this run
    if slug == "m2_2_chroot_permissions":
        assert "from udock_lab.lesson import have_rights\n" in below
        assert not re.search(r"udock_lab\.(?!lesson\b)", below), "what a learner cannot read"
        assert " import have_rights</code>" not in page.partition("Every stop in words")[2], (
            "an import is no step of theirs"
        )
    if slug == "m2_1_process_creation":
        lines = (NAMES + solution(slug)).splitlines()
        numbers = [number for number, text in enumerate(lines, 1) if "os.waitpid(" in text]
        assert re.search(rf"parent, line ({'|'.join(map(str, numbers))}) in launch: waitpid\(", page)
        assert re.search(rf'<li value="{numbers[0]}"><code>[^/]*os\.waitpid', page), (
            "and the walk has the line to light"
        )


@pytest.mark.parametrize(("wrong", "most"), [("way_out_without_wait", 1), ("common_file", 5)])
def test_of_ten_at_once_the_cell_has_only_as_many_as_it_takes_to_fail(kernel: Kernel, wrong: str, most: int) -> None:
    slug = EXERCISES[0]
    (source,) = [answer.source for answer in answers(slug) if answer.name == f"wrong_{wrong}"]
    kernel.cell(NAMES + source)
    kernel.cell(check_of(slug))
    below = kernel.cell("%reproduce 7")[2]
    (programs,) = re.findall(r"^programs = (\[.*?\])$", below, re.MULTILINE | re.DOTALL)
    assert 1 <= len(eval(programs)) <= most, below
    assert "#     answers that are wrong: 0\n" in below
    assert re.match(r"answers that are wrong: [1-9]", kernel.cell(below)[0])


def test_mistakes_get_a_sentence_that_says_what_to_type(kernel: Kernel) -> None:
    slug = EXERCISES[0]
    kernel.cell(NAMES + wrong_answers(slug)["signal"])
    kernel.cell(check_of(slug))
    for typed, sentence in {
        "%reproduce": "takes the number of a requirement",
        "%reproduce code": "takes the number of a requirement, not 'code'",
        "%reproduce 99": "The last check has requirements 1 to 7; 99 is none of them",
        "%reproduce 1": "Requirement 1 holds",
    }.items():
        printed, _, below = kernel.cell(typed)
        assert sentence in printed
        assert "write %reproduce 4" in printed
        assert "Traceback" not in printed
        assert below == ""


def test_a_function_of_another_name_is_found_and_one_without_a_name_is_asked_for(kernel: Kernel) -> None:
    slug = EXERCISES[0]
    kernel.cell(NAMES + wrong_answers(slug)["signal"] + "\nmy_launch = launch\ndel launch")
    kernel.cell(f'check("{slug}", my_launch)')
    below = kernel.cell("%reproduce 4")[2]
    assert "launch = my_launch\n" in below
    assert "ExitInfo(" in kernel.cell(below)[0]
    kernel.cell("del my_launch")
    assert "has no name in this notebook any more" in kernel.cell("%reproduce 4")[0]


def test_a_check_without_failure_leaves_nothing_to_reproduce(kernel: Kernel) -> None:
    slug = EXERCISES[0]
    kernel.cell(NAMES + solution(slug))
    assert "%reproduce" not in kernel.cell(check_of(slug))[1]
    printed = kernel.cell("%reproduce 3")[0]
    assert "no requirement has failed" in printed
    assert f'check("{slug}", launch)' in printed


def test_outside_a_notebook_nothing_is_offered(tmp_path: Path) -> None:
    from udock_lab.display.text.checks import check_text
    from udock_lab.grading import Submission, judge
    from udock_lab.grading.reproducing import keep, offered

    made = exercise("m2_5_image_lookup")
    submission = Submission(source=wrong_answers("m2_5_image_lookup")["none"])
    report = offered(made, submission, judge(made, submission))
    keep(None)
    assert report.first_failure is not None
    assert "%reproduce" not in check_text(report)
