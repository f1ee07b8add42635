"""``udock-lab check``: an exit code, a text, JSON, a page for the job, and GitHub Classroom's points."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from classroom import answer, dump, handed_in
from harness import COURSE

SLUG = "m2_1_process_creation"
RIGHT, WRONG = handed_in(SLUG, answer(SLUG, "right_a_class")), handed_in(SLUG, answer(SLUG, "wrong_raw_status"))
SAYS = "def launch(argv):\n    raise RuntimeError('<img src=x> [x](javascript:1) | `a` **b** ' + repr(dict(__import__('os').environ)))"


def udock_lab(*words: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", "check", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=os.environ | (env or {}))


@pytest.fixture(scope="module")
def in_actions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A right, a wrong and a broken notebook, and one whose words are no Markdown, in a step of GitHub Actions."""
    folder = tmp_path_factory.mktemp("repository")
    names = [
        dump(RIGHT, folder / "right.ipynb"),
        dump(WRONG, folder / f"{SLUG}.ipynb"),
        dump("{not a notebook", folder / f"{SLUG}-2.ipynb"),
        dump(handed_in(SLUG, SAYS), folder / "says.ipynb"),
    ]
    env = {"GITHUB_STEP_SUMMARY": str(folder / "page.md"), "GITHUB_OUTPUT": str(folder / "output")}
    return folder, udock_lab("--json", "--classroom", *names, env=env)


@pytest.fixture(scope="module")
def notebooks(in_actions: tuple[Path, subprocess.CompletedProcess[str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(in_actions[1].stdout)["notebooks"]
    return found


def test_a_right_notebook_ends_with_0_and_a_wrong_one_with_1(tmp_path: Path) -> None:
    done = udock_lab(dump(RIGHT, tmp_path / "right.ipynb"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["right.ipynb: 7 of 7 points", ""]
    done = udock_lab(dump(WRONG, tmp_path / "wrong.ipynb"))
    assert done.returncode == 1
    assert "this looks like:" in done.stdout and re.search(r"^wrong.ipynb: \d(\.5)? of 7 points$", done.stdout, re.M)


def test_hidden_requirements_are_judged_where_a_course_folder_has_them(tmp_path: Path) -> None:
    done = udock_lab("--json", "--course", COURSE, dump(RIGHT, tmp_path / "right.ipynb"))
    (one,) = json.loads(done.stdout)["notebooks"]
    assert done.returncode == 0 and any(requirement["hidden"] for requirement in one["requirements"])
    assert one["points"] == one["out_of"] > 7


def test_json_tells_each_requirement_of_each_notebook(notebooks: list[dict[str, Any]]) -> None:
    right, wrong, broken, _ = notebooks
    assert right["points"] == right["out_of"] == 7 and all(one["passed"] for one in right["requirements"])
    failed = [one for one in wrong["requirements"] if one["passed"] is False]
    assert failed and all(one["expected"] and one["seen"] and one["read"] for one in failed)
    assert any(one["looks_like"] for one in failed) and 0 < wrong["points"] < 7
    assert "JSON" in broken["error"] or "notebook" in broken["error"]
    assert broken["points"] == 0 and broken["requirements"] == []


def test_one_broken_notebook_does_not_keep_the_others_from_being_judged(
    in_actions: tuple[Path, subprocess.CompletedProcess[str]], notebooks: list[dict[str, Any]]
) -> None:
    assert in_actions[1].returncode == 1 and len(notebooks) == 4
    assert "Traceback" not in in_actions[1].stderr


def test_the_page_of_the_job_has_a_table_in_which_a_learners_words_stay_words(
    in_actions: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    page = (in_actions[0] / "page.md").read_text()
    assert page.count("| | Requirement | What was found |") == 3
    assert "**this looks like:**" in page
    for ours in ("<br>", "**this looks like:**", "|---|---|---|"):
        page = page.replace(ours, "")
    assert not re.search(r"[<>`*\[\]]", page)
    said = html.unescape(page)
    assert "<img src=x> [x](javascript:1) | `a` **b**" in said
    assert "GITHUB_OUTPUT" not in said and "page.md" not in said, "the learner's program was told where to write points"


def test_classroom_gets_the_points_of_each_requirement(
    in_actions: tuple[Path, subprocess.CompletedProcess[str]], notebooks: list[dict[str, Any]]
) -> None:
    name, _, value = (in_actions[0] / "output").read_text().strip().partition("=")
    told = json.loads(base64.b64decode(value))
    assert name == "result" and told["version"] == 1 and told["status"] == "fail"
    assert sum(test["score"] for test in told["tests"]) == sum(one["points"] for one in notebooks)
    assert told["max_score"] == sum(one["out_of"] for one in notebooks)
    assert {test["status"] for test in told["tests"]} == {"pass", "fail", "error"}
    assert all(test["message"] for test in told["tests"] if test["status"] != "pass")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing.ipynb"], "There is no notebook nothing.ipynb.\nName a file"),
        (["--classroom", "{notebook}"], "--classroom is for a step of GitHub Actions"),
        (["--course", "{folder}", "{notebook}"], "is no course folder"),
        ([], "required: NOTEBOOK"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_judged(tmp_path: Path, words: list[str], says: str) -> None:
    notebook = dump(RIGHT, tmp_path / "right.ipynb")
    done = udock_lab(*(word.format(notebook=notebook, folder=tmp_path) for word in words))
    assert done.returncode in (1, 2) and done.stdout == ""
    assert says in done.stderr and "Traceback" not in done.stderr


def test_the_workflow_in_the_docs_is_yaml_whose_steps_are_shell_and_options_that_there_are() -> None:
    text = (COURSE.parent / "docs" / "github_classroom.md").read_text()
    workflow = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.S)[1])  # type: ignore[index]
    (job,) = workflow["jobs"].values()
    lines = [step["run"] for step in job["steps"] if "run" in step]
    subprocess.run(["bash", "-n"], input="\n".join(lines), text=True, check=True)
    (judge,) = (step for step in job["steps"] if "udock-lab check" in step.get("run", ""))
    (teller,) = (step for step in job["steps"] if "grading-reporter" in step.get("uses", ""))
    assert teller["env"] == {f"{judge['id'].upper()}_RESULTS": f"${{{{ steps.{judge['id']}.outputs.result }}}}"}
    assert teller["with"] == {"runners": judge["id"]}
    known = udock_lab("--help").stdout
    assert {*re.findall(r"(?<!\S)--[a-z]+", judge["run"]), *re.findall(r"check (--[a-z]+)", text)} <= {
        *re.findall(r"--[a-z]+", known)
    }
