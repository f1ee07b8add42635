"""Recorded runs: what is stored is what was run, and nothing of the machine it ran on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from udock_lab import Runtime
from udock_lab.errors import UsageError
from udock_lab.lesson import recordings as module
from udock_lab.lesson.privacy import found_in, without
from udock_lab.lesson.recordings import BANNER, from_json, record, recorded, recordings, to_json
from udock_lab.model import (
    ExitStatus,
    Failure,
    Isolation,
    OutputChunk,
    Record,
    RunResult,
    SandboxProcess,
    SandboxResult,
    Status,
    StepReport,
    SystemCall,
)
from udock_lab.sandbox import run

TEXT = some.text(max_size=20)
NUMBER = some.integers(min_value=0, max_value=2**40)
STATUS = some.none() | some.builds(ExitStatus, raw=some.integers(0, 65535))
PLAIN = some.recursive(
    some.none() | some.booleans() | some.integers() | TEXT | some.binary(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.tuples(inner) | some.dictionaries(TEXT | some.integers(), inner),
    max_leaves=8,
)
RECORD = some.none() | some.builds(
    Record, id=TEXT, pid=NUMBER, image=TEXT, status=some.sampled_from(Status), start_time=TEXT,
    end_time=some.none() | TEXT, exit_code=some.none() | NUMBER,
)  # fmt: skip
RUNS = some.builds(
    RunResult, id=TEXT, image=TEXT, argv=some.lists(TEXT).map(tuple), pid=NUMBER, exit_code=some.none() | NUMBER,
    exit_status=STATUS, isolation=some.sampled_from(Isolation), before=RECORD, after=RECORD,
    steps=some.lists(some.builds(StepReport, name=TEXT, who=TEXT, call=TEXT, start=NUMBER, end=NUMBER)).map(tuple),
    stdout=some.binary(), failure=some.none() | some.builds(
        Failure, step=TEXT, errno=NUMBER, exit_code=NUMBER, message=TEXT),
)  # fmt: skip
SANDBOXES = some.builds(
    SandboxResult, value=PLAIN, exit_status=STATUS, verdict=TEXT, seconds=some.floats(allow_nan=False),
    processes=some.lists(some.builds(SandboxProcess, pid=NUMBER, parent=NUMBER, role=TEXT, status=STATUS)).map(tuple),
    output=some.lists(some.builds(OutputChunk, pid=NUMBER, role=TEXT, stream=TEXT, text=TEXT)).map(tuple),
    calls=some.lists(some.builds(SystemCall, pid=NUMBER, name=TEXT, arguments=TEXT, result=TEXT, start=NUMBER,
                                 end=NUMBER)).map(tuple),
    files=some.dictionaries(TEXT, some.binary()),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


@given(RUNS | SANDBOXES)
def test_a_result_comes_back_as_it_was(result: RunResult | SandboxResult) -> None:
    assert from_json(to_json(result)) == result


def test_a_real_run_is_stored_without_its_home_and_shown_as_recorded(runtime: Runtime, folder: Path) -> None:
    result = runtime.run("demo", ["/bin/sh", "-c", "echo hello; exit 42"])
    path = record("exit_42", result)
    assert found_in(path.read_text()) is None
    assert runtime.home.path not in path.read_text()
    shown = recorded("exit_42")
    assert isinstance(shown.result, RunResult)
    assert (shown.result.exit_code, shown.result.text) == (42, "hello\n")
    assert str(shown).startswith(BANNER)
    assert "exited with code 42" in str(shown)
    assert "exited with code 42" in shown._repr_html_()


def test_a_real_sandbox_run_is_stored_without_its_scratch_folder(folder: Path) -> None:
    code = "import os, socket; print(os.getcwd(), socket.gethostname()); open('f', 'w').write('x'); os.fork() or os._exit(3)"
    path = record("sandbox", run(code))
    assert found_in(path.read_text()) is None
    shown = recorded("sandbox").result
    assert isinstance(shown, SandboxResult)
    assert "(scratch)" in shown.stdout
    assert shown.files == {"f": b"x"}
    assert shown.children[0].status == ExitStatus(raw=768)


def test_what_names_a_person_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="/home/somebody"):
        record("x", SandboxResult(processes=(), verdict="ran in /home/somebody/x"))
    assert recordings() == []


def test_host_name_and_folders_are_elided() -> None:
    text = without(f"{socket.gethostname()} /tmp/udock-lesson-x/home/images", "/tmp/udock-lesson-x/home")
    assert "/tmp" not in text
    assert "~/.mdock/images" in text


def test_a_name_that_nobody_recorded_says_which_there_are(folder: Path) -> None:
    with pytest.raises(UsageError, match="There are: none"):
        recorded("x")
    record("chroot_root", SandboxResult(processes=()))
    with pytest.raises(UsageError, match="Did you mean 'chroot_root'"):
        recorded("chroot_rot")
    with pytest.raises(UsageError):
        record("../x", SandboxResult(processes=()))


@pytest.mark.parametrize("text", ["", "7", "{}", '{"is": "Nonsense"}', '{"is": "ExitStatus", "raw": 1}', "[]"])
def test_what_is_no_recording_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="This is no recording"):
        from_json(text)


def test_every_recording_of_the_course_can_be_shown_and_tells_of_no_machine() -> None:
    for name in recordings():
        assert str(recorded(name)).startswith(BANNER)
        assert found_in((module.FOLDER / f"{name}.json").read_text()) is None
