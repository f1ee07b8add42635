"""What programs of earlier versions wrote is read by the package of today: homes, progress, courses, recordings.

``tests/handed_out/<version>/stored/`` was written by that version, as a learner whose home is ``/home/learner`` on a
host called ``lab``. A file without a schema number is of version 0.1.0.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.cli import main as mdock
from udock_lab.course import layout
from udock_lab.errors import UsageError
from udock_lab.lesson import progress, recordings
from udock_lab.lesson.ledger import Ledger
from udock_lab.lesson.recordings import Recorded, from_json, to_json
from udock_lab.model import ExitStatus, Isolation, RunResult, SandboxResult, Status
from udock_lab.runtime.image.rootfs import make_rootfs

HANDED_OUT = Path(__file__).resolve().parents[1] / "handed_out" / "0.1.0"
STORED = HANDED_OUT / "stored"
AS_IT_WAS = b"/home/learner"  # the home of whoever wrote these files


@pytest.fixture
def old_home(home: Path) -> Path:
    """The learner's mdock home, as that version left it while c11 was running; the machine has restarted since."""
    shutil.copytree(STORED / "mdock", home)
    for path in home.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(AS_IT_WAS, bytes(home.parent)))
    return home


@pytest.fixture
def old(old_home: Path) -> Runtime:
    """The same with the files of its image ``demo``, which are not kept."""
    make_rootfs(str(old_home / "images/demo/rootfs"))
    return Runtime(old_home)


# --- mdock's home


def test_ps_lists_each_container_of_an_old_home_as_it_ended(old_home: Path) -> None:
    found = {
        one.id: (one.state, one.record.image, one.record.exit_code, one.isolation) for one in Runtime(old_home).ps()
    }
    assert found == {
        "c1": ("exited", "demo", 42, Isolation.CHROOT),
        "c2": ("exited", "demo", 137, Isolation.CHROOT),
        "c3": ("exited", "tiny", 127, Isolation.CHROOT),
        "c6": ("stopped", "demo", 7, Isolation.CHROOT),
        "c7": ("killed", "demo", 137, Isolation.CHROOT),
        "c8": ("exited", "tiny", 127, Isolation.CHROOT),
        "c9": ("exited", "demo", 0, Isolation.USERNS),
        "c10": ("exited", "demo", 3, Isolation.CHDIR),
        "c11": ("exited (orphaned)", "demo", None, Isolation.CHROOT),
    }


def test_images_and_logs_and_settings_of_an_old_home_are_read(old_home: Path) -> None:
    runtime = Runtime(old_home)
    assert [(image.name, image.rootfs) for image in runtime.images()] == [
        (name, str(old_home / f"images/{name}/rootfs")) for name in ("demo", "tiny")
    ]
    assert sorted(runtime.logs("c1").splitlines()) == [b"hello", b"oh"]
    assert runtime.logs("c6", tail=2).splitlines()[0] == b"ready"
    assert runtime.settings() == {"userns": True}


def test_inspect_shows_what_was_asked_for_in_an_old_run(old_home: Path) -> None:
    data = Runtime(old_home).inspect("c2").data
    assert data["spec"]["argv"] == ["/bin/sh", "-c", "echo $GREETING $PWD; kill -9 $$"]
    assert data["spec"]["limits"] == {"memory": 512 << 20, "cpu": 20, "files": 64}
    assert (data["spec"]["workdir"], data["spec"]["env"]) == ("/etc", [["GREETING", "hi"]])
    assert (data["spec"]["host"], data["record"]["exit_code"]) == ("lab", 137)
    assert "GREETING=hi" in data["Config"]["Env"]
    assert data["State"]["Status"] == "exited"


def test_inspect_still_tells_the_steps_of_an_old_run(old_home: Path) -> None:
    rootfs = old_home / "images/demo/rootfs"
    steps = json.dumps(Runtime(old_home).inspect("c1").data["steps"])
    places = [steps.find(json.dumps(call)) for call in (f'chdir("{rootfs}")', f'chroot("{rootfs}")', 'chdir("/")')]
    assert -1 not in places and places == sorted(places)


def test_the_command_line_shows_an_old_home(old_home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert mdock(["ps", "-a"]) == 0
    said = capfd.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [
        "c1",
        "c2",
        "c3",
        "c6",
        "c7",
        "c8",
        "c9",
        "c10",
        "c11",
    ]
    assert "echo hello; echo oh" in said.out
    assert "a line of nobody" in said.err
    assert mdock(["inspect", "--format", "{{.State.ExitCode}} {{.Path}}", "c6"]) == 0
    assert capfd.readouterr().out == "7 /bin/sh\n"


def test_an_old_home_is_used_on_and_no_id_comes_twice(old: Runtime) -> None:
    result = old.run("demo", ["/bin/sh", "-c", "exit 5"], userns=False)
    assert (result.id, result.exit_code) == ("c12", 5)
    log = Path(old.home.log).read_text().splitlines()
    assert " BUILD image=demo " in log[0]
    assert f"EXIT id=c12 pid={result.pid} code=5 status=exited" in log[-1]


def test_what_an_old_home_holds_can_be_removed_to_the_last_file(old: Runtime) -> None:
    private = next(Path(old.home.run_dir).glob("copy-*"))
    old.rm("c11")
    assert not Path(old.home.container_dir("c11")).exists()  # with what exec had started there
    old.rm("c8")
    assert not private.exists()
    assert old.prune() == ["c1", "c2", "c3", "c6", "c7", "c9", "c10"]
    assert Path(old.home.containers_db).read_text() == "a line of nobody\n"
    assert list(Path(old.home.containers_dir).iterdir()) == list(Path(old.home.logs_dir).iterdir()) == []
    old.rmi("demo")
    assert [image.name for image in old.images()] == ["tiny"]


# --- a learner's progress


def test_progress_of_an_old_version_is_shown(old_home: Path) -> None:
    boxes = [" ".join(line.split()) for line in str(progress()).splitlines() if line.startswith("  [")]
    begun = [box.partition(" · ") for box in boxes if not box.startswith("[ ]")]
    assert [(title[:15], said) for title, _, said in begun] == [
        ("[ done ] 00_sta", "1 of 1 answered, 1 right"),
        ("[ read ] m2_1a ", "4 of 5 answered, 2 right (1 after the run) · order found after 2 tries"),
        ("[ read ] m2_1b ", "1 of 4 answered, 0 right · order open · exercise 5 of 7 ★★★☆☆"),
    ]


def test_progress_of_an_old_version_is_added_to_and_nothing_is_lost(old_home: Path) -> None:
    before = json.loads((STORED / "mdock/progress.json").read_text())
    assert "schema" not in before
    Ledger(str(old_home)).put_score("m2_1_process_creation", 7, 7)
    after = json.loads((old_home / "progress.json").read_text())
    earlier = before["exercises"]["m2_1_process_creation"]["score"]
    facts = after["exercises"]["m2_1_process_creation"]
    assert facts.pop("times")[0] == 0
    assert facts == {"score": 7, "max": 7, "best": 7, "tries": [earlier, 7]}
    assert {name: after[name] for name in before if name != "exercises"} == {
        name: facts for name, facts in before.items() if name != "exercises"
    }


@pytest.mark.parametrize(("found", "written"), [({}, 1), ({"schema": 1}, 1), ({"schema": 2, "more": {"a": 1}}, 2)])
def test_progress_says_which_schema_it_has_and_that_of_a_later_version_stays(
    old_home: Path, found: dict[str, object], written: int
) -> None:
    path = old_home / "progress.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | found))
    Ledger(str(old_home)).put_score("m2_2_chroot_permissions", 1, 8)
    after = json.loads(path.read_text())
    assert after["schema"] == written
    assert after.get("more") == found.get("more")
    assert after["lessons"]["m2_1a_fork"]["done"] is True


# --- the folder that `udock-lab start` keeps


def as_started(notebook: bytes) -> bytes:
    """A lesson without its outputs, byte for byte as version 0.1.0 laid it out."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


def test_a_course_that_an_old_version_laid_out_is_brought_up_to_date_and_changes_are_kept(tmp_path: Path) -> None:
    mine = tmp_path / "udock-lab"
    shutil.copytree(HANDED_OUT / "notebooks", mine)
    shutil.copytree(HANDED_OUT / "exercises", mine / "exercises")
    for path in mine.rglob("*.ipynb"):
        path.write_bytes(as_started(path.read_bytes()))
    shutil.copy(STORED / "course.json", mine / layout.MANIFEST)
    listed = json.loads((STORED / "course.json").read_text())["files"]
    assert {name: hashlib.sha256((mine / name).read_bytes()).hexdigest() for name in listed} == listed
    (mine / "m2_1a_fork.ipynb").write_text("{}")
    laid = layout.lay_out(mine)
    assert (mine / "m2_1a_fork.ipynb").read_text() == "{}"
    assert {*laid.kept, *(yours for yours, _ in laid.beside)} == {"m2_1a_fork.ipynb"}
    for name, data in layout.course_files():
        assert name == "m2_1a_fork.ipynb" or (mine / name).read_bytes() == data


# --- recordings


def old_recordings() -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted((STORED / "recordings").glob("*.json"))}


@pytest.mark.parametrize("name", old_recordings())
def test_a_recording_of_an_old_version_is_shown(name: str) -> None:
    shown = Recorded(name, from_json(old_recordings()[name]))
    assert str(shown).startswith(recordings.BANNER)
    assert recordings.BANNER in shown._repr_html_()


def test_a_recorded_run_of_an_old_version_holds_what_was_run() -> None:
    result = from_json(old_recordings()["m2_2_chroot_userns"])
    assert isinstance(result, RunResult)
    assert (result.exit_code, result.text, result.isolation) == (0, "/ is the image\n", Isolation.USERNS)
    assert result.after is not None and result.after.status is Status.EXITED
    assert any(step.call.startswith("chroot(") and not step.errno for step in result.steps)
    assert result.snapshots


def test_a_recorded_sandbox_run_of_an_old_version_holds_its_processes_and_calls() -> None:
    result = from_json(old_recordings()["m2_1b_exec"])
    assert isinstance(result, SandboxResult)
    assert [child.status for child in result.children] == [ExitStatus(raw=42 << 8)]
    assert {call.name for call in result.calls} >= {"clone", "execve"}


def test_a_recording_says_which_schema_it_has_and_a_later_one_is_refused_by_its_number() -> None:
    result = from_json(old_recordings()["m2_2_lone"])
    written = json.loads(to_json(result))
    assert written["schema"] == 1
    assert from_json(json.dumps(written)) == result
    with pytest.raises(UsageError, match="its schema is 2, and this version reads up to 1"):
        from_json(json.dumps(written | {"schema": 2}))
