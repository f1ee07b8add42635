"""A task for a terminal: what its line does in a shell, and that only what happened for real settles it."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from udock_lab.errors import UsageError
from udock_lab.lesson import Lesson, begin


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    lesson = begin("m2_7_review")
    yield lesson
    lesson.end()


class Terminal:
    """A login's shell at a terminal of its own, without the notebook's variables."""

    def __init__(self, line: str) -> None:
        self.master, theirs = pty.openpty()
        env = {name: value for name, value in os.environ.items() if name != "MDOCK_HOME"} | {"PATH": "/usr/bin:/bin"}
        self.shell = subprocess.Popen(
            ["/bin/sh"], stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self.type(line)

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self.master)
        self.shell.kill()
        self.shell.wait()


@pytest.fixture
def terminal() -> Iterator[Callable[[str], Terminal]]:
    opened: list[Terminal] = []

    def open_one(line: str) -> Terminal:
        opened.append(Terminal(line))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def wait_until(fact: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_a_container_stopped_from_a_second_terminal_settles_the_task(
    lesson: Lesson, terminal: Callable[[str], Terminal]
) -> None:
    lesson.runtime.run("demo", ["/bin/true"])
    task = lesson.terminal_task("stop", until="stopped")
    assert ("Waiting: no container" in repr(task), task.done) == (True, False)
    detached = lesson.runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    lesson.runtime.stop(detached.id)
    task.look()
    assert not task.done  # it had no terminal
    terminal(task.first_line)
    wait_until(lambda: (task.look(), task.seen is not None)[1])
    assert "Waiting: c3 runs in your terminal" in repr(task)
    assert "mdock stop c3" in repr(task)
    terminal(f"{task.second_line} && mdock stop -t 1 c3")
    wait_until(lambda: (task.look(), task.done)[1])
    assert "Done: c3 was stopped. Its record says killed, exit code 137." in repr(task)
    assert lesson.terminal_task("stop", until="stopped") is task  # its cell was run again


def test_a_shell_that_was_left_settles_nothing_and_the_next_one_is_waited_for(
    lesson: Lesson, terminal: Callable[[str], Terminal]
) -> None:
    task = lesson.terminal_task("stop", until="stopped")
    first = terminal(task.first_line)
    wait_until(lambda: (task.look(), task.seen is not None)[1])
    first.type("exit")
    wait_until(lambda: (task.look(), task.seen is not None and not task.seen.alive)[1])
    assert not task.done
    assert "ended by itself" in task.state


def test_a_container_from_a_terminal_settles_the_task_that_asks_for_one(
    lesson: Lesson, terminal: Callable[[str], Terminal]
) -> None:
    task = lesson.terminal_task("ids", until="started")
    assert task.second_line == ""
    terminal(task.first_line)
    wait_until(lambda: (task.look(), task.done)[1])
    assert "Done: c1 was started from a terminal" in repr(task)
    assert "type exit there" in repr(task)


def test_the_line_tells_nothing_of_the_machine_and_leads_nowhere_once_the_lesson_has_ended(home: Path) -> None:
    lesson = begin("m2_7_review")
    task = lesson.terminal_task("stop", until="stopped")
    assert task.first_line == ". ~/.mdock/run/m2_7_review.terminal && mdock run -it demo"
    file = Path.home() / ".mdock/run/m2_7_review.terminal"
    kept = file.read_text()
    lesson.end()
    assert not file.exists()
    file.write_text(kept)  # the kernel was killed: its file is still there
    said = subprocess.run(["/bin/sh", "-c", f"{task.second_line} && echo in"], capture_output=True, text=True)
    assert "This lesson has ended" in said.stdout
    assert "in\n" not in said.stdout.replace("again.\n", "")
    task.look()
    assert "The lesson has ended" in task.state


def test_a_second_kernel_on_the_lesson_leaves_the_first_ones_line_alone(lesson: Lesson) -> None:
    task = lesson.terminal_task("stop", until="stopped")
    other = Lesson(lesson.entry, spare=False)  # as another kernel has it: begin would end the first one
    try:
        others = other.terminal_task("stop", until="stopped")
        assert others.first_line == ". ~/.mdock/run/m2_7_review-2.terminal && mdock run -it demo"
        homes = [
            subprocess.run(["/bin/sh", "-c", f"{one.second_line} && echo $MDOCK_HOME"], capture_output=True, text=True)
            for one in (task, others)
        ]
        assert [home.stdout.strip() for home in homes] == [lesson.home, other.home]
    finally:
        other._close()
    assert not Path(Path.home(), ".mdock/run/m2_7_review-2.terminal").exists()
    assert Path(Path.home(), ".mdock/run/m2_7_review.terminal").exists()


def test_a_task_that_nobody_knows_is_refused(lesson: Lesson) -> None:
    with pytest.raises(UsageError, match="started, stopped"):
        lesson.terminal_task("x", until="built")
