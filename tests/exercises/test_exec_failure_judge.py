"""M2.6's reports name the cause, and one mistake costs one requirement."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "privileged"))

import rungs  # noqa: E402

from udock_lab.grading import Submission, judge  # noqa: E402
from udock_lab.grading.evidence import Said  # noqa: E402
from udock_lab.grading.exercises.m2_6_exec_failure.diagnose import UNREAD, copied, info, misread, raised  # noqa: E402
from udock_lab.grading.exercises.m2_6_exec_failure.judge import info as handed_on  # noqa: E402
from udock_lab.grading.sources import exercise  # noqa: E402
from udock_lab.model import CheckReport, Judgement  # noqa: E402

RIGHT = """
import errno, os
from udock_lab.grading import ExitInfo

def run(argv):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        number = int(said)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
"""


def judged(*changes: tuple[str, str]) -> tuple[CheckReport, Judgement]:
    """Return the report on the right answer, changed, and its first requirement that does not hold."""
    source = RIGHT
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    report = judge(exercise("m2_6_exec_failure"), Submission(source=source), at_once=4)
    assert report.first_failure is not None
    return report, report.first_failure


def test_an_error_in_the_child_is_told_with_its_line_and_costs_one_requirement() -> None:
    report, failed = judged(("os._exit(127)", "exit(127)"))
    assert failed.requirement.key == "missing"
    assert "run raised SystemExit: 127 (your line 13: exit(127))" in failed.seen
    assert "os._exit ends a process at once" in failed.looks_like
    assert report.points == 7


def test_a_pipe_that_is_made_after_the_fork_is_named_wherever_it_shows() -> None:
    pipe = "    read_end, write_end = os.pipe()\n"
    report, failed = judged((pipe, ""), ("os.fork()\n", f"os.fork()\n{pipe}"), ("except OSError", "except Exception"))
    broken = {j.requirement.key: j.looks_like for j in report.judgements if j.passed is False}
    assert failed.requirement.key == "missing"
    assert all("each process makes one of its own" in broken[key] for key in ("missing", "pipe"))


def test_other_children_of_the_caller_are_not_collected() -> None:
    report, failed = judged(("os.waitpid(pid, 0)", "os.wait()"))
    assert failed.requirement.key == "ended"
    assert failed.seen == "you returned ExitInfo(code=111)"
    assert "waitpid(pid, 0) waits for this one alone" in failed.looks_like
    assert report.points == 7


@pytest.mark.parametrize(
    ("got", "wanted", "arrives", "words"),
    [
        ([126, None, None], [126, None, errno.ENOEXEC], True, "ENOEXEC was dropped on its way"),
        ([127, None, None], [127, None, errno.ENOENT], True, UNREAD),
        ([127, None, None], [127, None, errno.ENOENT], False, "stayed in the child"),
        ([2, None, None], [127, None, errno.ENOENT], False, "sent as the exit code"),
        ([127, None, "ENOENT"], [127, None, errno.ENOENT], False, "getattr(errno, name)"),
        ([127, None, "b'2'"], [127, None, errno.ENOENT], False, "int(...)"),
        ([126, None, 1], [126, None, errno.EACCES], False, "13 was sent, 1 arrived"),
        ([127, None, 2], [127, None, None], False, "proof that the exec failed"),
        ([None, 134, None], [None, 6, None], False, "bit 7"),
        (None, [127, None, None], False, "without a return"),
    ],
)
def test_what_was_taken_for_what(got: list[object] | None, wanted: list[int | None], arrives: bool, words: str) -> None:
    assert words in misread(got, "None", wanted, others_arrive=arrives)


def test_a_child_that_returns_and_one_that_raises_are_told_apart() -> None:
    assert copied(Said(how="returned", kind="ExitInfo")).startswith("return in the child ends the function")
    assert copied(Said(how="raised", kind="SystemExit")).startswith("exit and sys.exit")
    assert "two pipes" in copied(Said(how="raised", kind="BrokenPipeError")).lower()
    name = Said(how="raised", kind="ValueError", shown="invalid literal for int() with base 10: 'ENOENT'")
    assert "the errno's name" in raised(name, [127, None, errno.ENOENT])


def test_values_are_written_as_the_learner_would() -> None:
    assert info(["64", None, None]) == "ExitInfo(code='64')"
    assert handed_on is info


ON_A_RUNG = """
import sys
sys.path.insert(0, {folder!r})
from harness import answers, mark
for answer in answers("m2_6_exec_failure"):
    if answer.name in {names!r} and (complaint := mark(answer).complaint):
        print(answer.name, complaint)
"""


def test_where_the_kernel_tells_of_no_fork_nothing_wrong_passes_and_nothing_right_fails() -> None:
    names = ["right_pidfd", "wrong_no_fork", "wrong_inheritable", "wrong_guesses_126"]
    done = rungs.run(["refuse=listener"], ON_A_RUNG.format(folder=str(HERE), names=names), timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
