"""``scripts/execute-notebooks``: outputs are real, the same whoever runs it, and tell nothing of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import execute_notebooks  # noqa: E402



@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(execute_notebooks, "FOLDER", tmp_path)
    return tmp_path


def written(folder: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def treated(path: Path) -> list[str]:
    with execute_notebooks.learner():
        return execute_notebooks.treat(path)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_outputs_are_written_counted_and_joined_without_times(folder: Path) -> None:
    path = written(folder, "print('a', flush=True)\nprint('b')", "", "6 * 7")
    assert treated(path) == []
    first, empty, last = read(path)["cells"]
    assert [cell["execution_count"] for cell in (first, empty, last)] == [1, None, 2]
    assert [output["text"] for output in first["outputs"]] == [["a\n", "b\n"]]
    assert last["outputs"][0]["data"] == {"text/plain": ["42"]}
    assert first["metadata"] == {}
    assert read(path)["metadata"] == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_a_second_execution_changes_nothing(folder: Path) -> None:
    lesson = "from udock_lab.lesson import begin\nlesson = begin('m2_1a_fork')"
    path = written(folder, "%load_ext udock_lab", lesson, "%mdock run demo -- /bin/echo hi;", "lesson.end()")
    assert treated(path) == []
    texts = [[o.get("text") or o["data"]["text/plain"] for o in cell["outputs"]] for cell in read(path)["cells"]]
    assert treated(path) == []
    assert texts == [[o.get("text") or o["data"]["text/plain"] for o in c["outputs"]] for c in read(path)["cells"]]


def test_a_failing_cell_is_named_and_the_lesson_left_as_it_was(folder: Path) -> None:
    path = written(folder, "print(1)", "1 / 0")
    before = path.read_text()
    (wrong,) = treated(path)
    assert "1 / 0" in wrong
    assert "ZeroDivisionError" in wrong
    assert path.read_text() == before


@pytest.mark.parametrize("said", ["/home/somebody/x", "/tmp/x", "os.path.expanduser('~') + '/x'"])
def test_an_output_that_tells_where_it_was_made_is_not_written(folder: Path, said: str) -> None:
    path = written(folder, f"import os\nprint({said if 'os.' in said else repr(said)})")
    before = path.read_text()
    (wrong,) = treated(path)
    assert wrong.startswith("cell 1: an output tells where it was made: ")
    assert path.read_text() == before


def test_the_learner_s_own_progress_is_neither_read_nor_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDOCK_HOME", str(tmp_path / "mine"))
    path = written(folder, "from udock_lab.lesson import begin\nlesson = begin('m2_1a_fork')", "lesson.end()")
    assert treated(path) == []
    assert not (tmp_path / "mine").exists()
    assert os.environ["MDOCK_HOME"] == str(tmp_path / "mine")


def test_a_lesson_that_is_not_there_is_said() -> None:
    done = subprocess.run([ROOT / "scripts/execute-notebooks", "nosuch"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "nosuch.ipynb: there is no such lesson\n")
