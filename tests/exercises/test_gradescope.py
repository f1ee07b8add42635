"""``udock-lab gradescope``: the archive, and what comes of it in a container as Gradescope starts one (rung D)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from classroom import answer, dump, handed_in
from debian import debian, inside
from harness import COURSE, answers

from udock_lab.grading.gradescopemeta import circumstances

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ONE, OTHER = "m2_1_process_creation", "m2_5_image_lookup"
D, D_WITHOUT_LANDLOCK, D_WITHOUT_TRACES = "unshare", "unshare,landlock", "unshare,ptrace,listener"
METADATA = {  # as https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/ shows it
    "id": 123456,
    "created_at": "2018-08-01T01:12:32.365935-07:00",
    "assignment": {
        "due_date": "2018-07-31T23:00:00.000000-07:00",
        "group_size": 4,
        "group_submission": True,
        "id": 25828,
        "course_id": 1234,
        "late_due_date": None,
        "release_date": "2018-07-02T00:00:00.000000-07:00",
        "title": "Programming Assignment 1",
        "total_points": "20.0",
    },
    "submission_method": "upload",
    "users": [
        {"email": "student@example.com", "id": 1234, "name": "Student User"},
        {"email": "other@example.com", "id": 1235, "name": "Other \x1b[2JUser"},
    ],
    "previous_submissions": [
        {"submission_time": "2018-07-30T14:24:48.087023-07:00", "score": 0.0, "results": {"tests": []}},
        {"submission_time": "2018-07-31T14:24:48.087023-07:00", "score": "5.5", "results": {}},
    ],
}


def udock_lab(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, cwd=cwd)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("gradescope") / "autograder.zip"
    done = udock_lab("gradescope", ONE, OTHER, "--out", out)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "a programming assignment of 19 autograder points" in done.stdout
    return out


class Place:
    """``/autograder`` and ``/opt`` after setup.sh, and what has been there before a submission came."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.autograder = folder, folder / "autograder"

    def run(self, notebooks: dict[str, object], *, refused: str = D, metadata: object = None) -> dict[str, Any]:
        """Hand in these files in a fresh container, and return its results.json."""
        for name in ("submission", "results"):
            shutil.rmtree(self.autograder / name, ignore_errors=True)
            (self.autograder / name).mkdir(mode=0o755)
        for name, content in notebooks.items():
            dump(content, self.autograder / "submission" / name)  # type: ignore[arg-type]
        (self.autograder / "submission_metadata.json").write_text(json.dumps(metadata or {}))
        command = [sys.executable, str(HERE / "gradescope_place.py"), str(self.folder), refused]
        done = subprocess.run(
            [*command, "/autograder/run_autograder"],
            capture_output=True,
            text=True,
            timeout=250,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        (self.autograder / "results/stdout").write_text(done.stdout)
        results: dict[str, Any] = json.loads((self.autograder / "results/results.json").read_text())
        return results

    @property
    def said(self) -> str:
        """What Gradescope shows to those who teach alone."""
        return (self.autograder / "results/stdout").read_text()

    def as_it_was(self) -> str:
        """A hash of all that a submission might want to change."""
        files = [path for top in (self.autograder / "source", self.folder / "opt/udock-lab") for path in top.rglob("*")]
        kept = [path for path in files if path.is_file() and path.suffix != ".pyc"] + [
            self.autograder / "run_autograder"
        ]
        facts = [(str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(kept)]
        return hashlib.sha256(repr(facts).encode()).hexdigest()


@pytest.fixture(scope="module")
def place(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What setup.sh makes, with the wheel of the archive; what it stands on are this machine's packages."""
    if os.geteuid() != 0:
        pytest.skip("needs privilege: only root makes a root file system of its own and becomes another user")
    folder = tmp_path_factory.mktemp("container")
    folder.chmod(0o755)
    source = folder / "autograder/source"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(source)
    shutil.copy(source / "run_autograder", folder / "autograder/run_autograder")
    (folder / "autograder/run_autograder").chmod(0o755)
    venv.create(folder / "opt/udock-lab", symlinks=True)
    packages = folder / "opt/udock-lab/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (wheel,) = source.glob("wheels/*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(packages)
    (packages / "ours.pth").write_text("/opt/packages\n")
    (folder / "opt/packages").mkdir()
    return Place(folder)


# --- the archive


def test_the_archive_holds_what_gradescope_asks_for_and_no_solution(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        for name in ("setup.sh", "run_autograder"):
            assert packed.getinfo(name).external_attr >> 16 == 0o755
            subprocess.run(["bash", "-n"], input=packed.read(name).decode(), text=True, check=True)
        assert json.loads(packed.read("settings.json")) == {"exercises": [ONE, OTHER], "hidden": "after_published"}
        assert f"course/instructor/udock_hidden/{ONE}/judge.py" in names
        handed_out = json.loads(packed.read(f"course/source/{ONE}/{ONE}.ipynb"))["cells"]
        packed.extractall(tmp_path)
    assert not [name for name in names if "m2_2" in name or "corpus" in name]
    facts = [(cell["metadata"]["nbgrader"], cell["source"]) for cell in handed_out]
    assert {source for fact, source in facts if fact["solution"] or fact["grade"]} == {""}
    assert sum(fact.get("points", 0) for fact, _ in facts) == 9
    (wheel,) = tmp_path.glob("wheels/*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert not [name for name in packed.namelist() if "udock_hidden" in name or "instructor" in name]


def test_exercises_of_ones_own_travel_with_their_hidden_half_and_without_their_corpus(tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(ROOT / f"udock_lab/grading/exercises/{OTHER}", course / "own/mine")
    shutil.copytree(COURSE / f"instructor/udock_hidden/{OTHER}", course / "own/mine/hidden")
    (course / "own/mine/corpus").mkdir()
    (course / "source").mkdir()
    (course / "course.toml").write_text('[exercises]\nmine = "own/mine"\n')
    done = udock_lab("gradescope", "mine", "--hidden", "hidden", cwd=course)
    assert done.returncode == 0 and "mine: no hidden requirement is judged" in done.stdout, done
    with zipfile.ZipFile(course / "autograder.zip") as packed:
        assert tomllib.loads(packed.read("course/course.toml").decode()) == {"exercises": {"mine": "exercises/mine"}}
        names = packed.namelist()
    assert "course/exercises/mine/judge.py" in names and "course/instructor/udock_hidden/mine/judge.py" in names
    assert not [name for name in names if "corpus" in name or "mine/hidden" in name]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["m2_1_proces_creation"], 1, f"Did you mean '{ONE}'?"),
        ([ONE, "--course", "nowhere"], 1, "is no course folder"),
        ([ONE, "--out", "."], 1, "--out autograder.zip"),
        ([ONE, "--hidden", "never"], 2, "invalid choice: 'never'"),
    ],
)
def test_a_mistake_costs_a_sentence(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    done = udock_lab("gradescope", *words, cwd=tmp_path)
    assert done.returncode == code and says in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# --- in the container


def test_points_are_those_of_grade_and_each_requirement_is_a_test(place: Place, tmp_path: Path) -> None:
    wrong, helper = handed_in(ONE, answer(ONE, "wrong_raw_status")), answer(OTHER, "right_compact")
    right = handed_in(OTHER, "from helper import find_image_by_name")
    dump(wrong, tmp_path / "submitted/kim" / ONE / f"{ONE}.ipynb")
    dump(right, tmp_path / "submitted/kim" / OTHER / f"{OTHER}.ipynb")
    dump(helper, tmp_path / "submitted/kim" / OTHER / "helper.py")
    graded = udock_lab("grade", tmp_path / "submitted", "--course", COURSE)
    assert graded.returncode == 0, graded
    kept = [json.loads(path.read_text()) for path in sorted((tmp_path / "graded/kim").glob("*.json"))]
    handed = {"a folder/first.ipynb": wrong, f"{OTHER}.ipynb": right, "helper.py": helper}
    results = place.run(handed, metadata=METADATA)
    assert results["score"] == sum(one["points"] for one in kept) == sum(test["score"] for test in results["tests"])
    assert 10 < results["score"] < sum(test["max_score"] for test in results["tests"]) == 19
    tests = {test["extra_data"]["requirement"]: test for test in results["tests"] if test["name"].startswith(ONE)}
    assert tests["starts"]["status"] == "passed" and tests["starts"]["score"] == tests["starts"]["max_score"] == 1
    code = tests["code"]
    assert (code["status"], code["score"], code["visibility"], code["number"]) == ("failed", 0, "visible", "1.3")
    assert "This looks like: the raw wait status" in code["output"] and "Read: m2_1b" in code["output"]
    assert tests["codes"]["visibility"] == "after_published"
    assert "what was tried is not told" in tests["codes"]["output"] and "256" not in tests["codes"]["output"]
    assert "seen 1 as ExitInfo(code=256" in place.said, "those who teach read the reason"
    assert results["stdout_visibility"] == "hidden"
    assert {results["output_format"], results["test_output_format"], results["test_name_format"]} == {"text"}


def test_attempts_lateness_and_the_group_are_carried_along_and_change_no_point(place: Place) -> None:
    results = place.run({}, metadata=METADATA)
    lines = results["output"].splitlines()
    assert "Attempt 3. Points of the earlier ones: 0, 5.5." in lines
    assert "Handed in 2 hours 12 minutes after the due date. These points are before any deduction." in lines
    assert "A group: Student User, Other \\x1b[2JUser." in lines
    extra = results["extra_data"]
    assert (extra["attempt"], extra["late_seconds"], extra["submission"]) == (3, 7952, 123456)
    assert [one["score"] for one in extra["earlier"]] == [0.0, 5.5]
    assert [user["email"] for user in extra["users"]] == ["student@example.com", "other@example.com"]
    assert results["score"] == 0 and len(results["tests"]) == 19 and {test["score"] for test in results["tests"]} == {0}
    assert f"No notebook of this exercise was handed in ({ONE}.ipynb)." in lines


def test_what_is_no_notebook_is_said_and_which_of_several_counts(place: Place) -> None:
    results = place.run(
        {
            f"{ONE}.ipynb": "{not a notebook",
            f"{OTHER}.ipynb": handed_in(OTHER, "def find_image(db, name):\n    raise RuntimeError('<b>\x1b[2J')"),
            f"old/{OTHER}-Copy1.ipynb": handed_in(OTHER, answer(OTHER, "right_compact")),
            "notes.ipynb": "{}",
            "results.json": '{"score": 19}',
        }
    )
    assert f"Several notebooks answer {OTHER}: {OTHER}.ipynb counts; not {OTHER}-Copy1.ipynb." in results["output"]
    assert f"{ONE}: {ONE}.ipynb is not a notebook" in results["output"]
    assert "notes.ipynb was left out: notes.ipynb answers no exercise of this course." in results["output"]
    assert results["score"] < 9 and "\x1b" not in json.dumps(results, ensure_ascii=False)


HOSTILE = """
import os, shutil, signal
FULL = '{"score": 19, "tests": []}'
MINE = "/autograder/results/results.json"
NAMES = (MINE, "/autograder/run_autograder", "/autograder/source/settings.json", "/opt/udock-lab/bin/python",
         "/autograder/source/course/instructor/udock_hidden/m2_1_process_creation/judge.py",
         "/autograder/submission_metadata.json", "/autograder/submission/m2_5_image_lookup.ipynb")
got = []
def attempt(what, *arguments):
    try:
        return what(*arguments)
    except OSError:
        return None
def overwrite(path):
    with open(path, "w") as file:
        file.write(FULL)
        got.append("wrote " + path)
def read(path):
    with open(path) as file:
        got.append("read " + path + file.read(1))
def harm():
    for path in NAMES:
        for what in (os.unlink, overwrite, lambda path: os.chmod(path, 0o777), lambda path: os.symlink("/dev/null", path)):
            attempt(what, path)
        if not path.startswith(("/opt", "/autograder/run")):  # in which nothing is to be found out
            attempt(read, path)
    attempt(os.rename, "/autograder/source", "/autograder/gone")
    shutil.rmtree("/autograder", ignore_errors=True)
    for name in ("environ", "root/autograder/source/settings.json", "cwd/source/settings.json"):
        for pid in (1, os.getppid()):
            attempt(read, f"/proc/{pid}/{name}")
def kill():
    for pid in (1, os.getppid(), *range(2, 60)):
        if pid != os.getpid() and attempt(os.kill, pid, signal.SIGKILL):
            got.append("killed %d" % pid)
"""
BOMBS = HOSTILE + "\ndef launch(argv):\n    harm()\n    kill()\n    while True:\n        os.fork()\n"
READS = HOSTILE + "\nharm()\ndef launch(argv):\n    harm()\n    raise RuntimeError('GOT %s' % got)\n"


@pytest.mark.parametrize(("source", "refused"), [(READS, D), (READS, D_WITHOUT_LANDLOCK), (BOMBS, D)])
def test_a_hostile_submission_gets_no_point_and_harms_nothing(place: Place, source: str, refused: str) -> None:
    before = place.as_it_was()
    results = place.run({f"{ONE}.ipynb": handed_in(ONE, source)}, refused=refused)
    assert results["score"] == 0 and len(results["tests"]) == 19
    assert place.as_it_was() == before
    text = json.dumps(results)
    assert ("GOT []" in text) == (source is READS), [test["output"] for test in results["tests"][:3]]
    assert "4711" not in text


def test_a_judge_that_is_lost_leaves_results_that_say_so(place: Place) -> None:
    settings = place.autograder / "source/settings.json"
    kept = settings.read_text()
    settings.write_text("{}")
    try:
        results = place.run({})
    finally:
        settings.write_text(kept)
    assert results["score"] == 0 and "say nothing of the answer" in results["output"]


# --- what Gradescope tells


def test_an_extension_of_ones_own_counts_and_odd_metadata_cost_nobody_a_point(tmp_path: Path) -> None:
    file = tmp_path / "submission_metadata.json"
    assert circumstances(file).extra_data["attempt"] == 1, "there is none"
    own = {"users": [{"assignment": {"due_date": "2018-08-02T23:00:00-07:00"}}]}
    file.write_text(json.dumps(METADATA | own))
    assert circumstances(file).late_seconds == 0
    for odd in ("", "[]", '{"users": 3, "previous_submissions": [1, {"score": "many"}], "created_at": 5}', "{" * 9999):
        file.write_text(odd)
        assert circumstances(file).late_seconds is None
    file.write_text(json.dumps(METADATA | {"created_at": "2018-08-01T01:12:32"}))
    assert circumstances(file).late_seconds is None, "without a zone nobody knows"


# --- the whole of it


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_attack_of_the_corpus_is_harmless_in_the_container(place: Place) -> None:
    before = place.as_it_was()
    for path in sorted((HERE / "attacks").glob("*.py")):
        source = path.read_text()
        earned = next((float(line.split()[2]) for line in source.splitlines() if line.startswith("# earns:")), 0.0)
        results = place.run({f"{ONE}.ipynb": handed_in(ONE, source)})
        shown = sum(test["score"] for test in results["tests"] if test["visibility"] == "visible")
        assert shown <= earned and bool(shown) == bool(results["score"]), path.name
        assert place.as_it_was() == before, path.name


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_class_of_300_has_the_points_that_grade_gives(place: Place, tmp_path: Path) -> None:
    known = [one for slug in (ONE, OTHER) for one in answers(slug)]
    sent = [known[number % len(known)] for number in range(300)]
    for number, one in enumerate(sent):
        notebook = handed_in(one.slug, one.source)
        dump(notebook, tmp_path / "submitted" / f"{number:03}" / one.slug / f"{one.slug}.ipynb")
    assert udock_lab("grade", tmp_path / "submitted", "--course", COURSE).returncode == 0
    for number, one in enumerate(sent):
        graded = json.loads((tmp_path / f"graded/{number:03}/{one.slug}.json").read_text())
        handed = tmp_path / f"submitted/{number:03}/{one.slug}/{one.slug}.ipynb"
        results = place.run({f"{one.slug}.ipynb": handed.read_text()})
        assert results["score"] == graded["points"], one.name


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_setup_makes_of_a_bare_system_what_judges(archive: Path, tmp_path: Path) -> None:
    """Debian 12 stands for Ubuntu: the same commands, and a Python that is new enough."""
    tree = debian("bookworm", tmp_path / "image", "ca-certificates", "mount")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tree / "autograder/source")
    shutil.copy(tree / "autograder/source/run_autograder", tree / "autograder")
    (tree / "autograder/run_autograder").chmod(0o755)
    done = inside(tree, "bash", "/autograder/source/setup.sh")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].startswith("udock-lab is ready: udock-lab ")
    results = Place(tree).run({f"{ONE}.ipynb": handed_in(ONE, answer(ONE, "right_a_class"))})
    assert results["score"] == 9 and not results["extra_data"]["exercises"][ONE]["not_judged_here"]
