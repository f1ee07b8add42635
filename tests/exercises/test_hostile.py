"""Submissions that want harm or points: none harms anything, none scores, each ends in time with a sentence.

``attacks/*.py`` are answers to M2.1. ``# earns: 2`` says how many points its honest part deserves. Placeholders
(``@home@``, ``@course@``, ``@port@``) are filled in with targets that really exist.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import chosen
from mounts import mounts
from waiting import until

import udock_lab
from udock_lab import sandbox
from udock_lab.display.html.checks import check_html
from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge
from udock_lab.grading.sources import exercise
from udock_lab.linux.process import descendants, lives, parent, state
from udock_lab.model import CheckReport
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.sandbox.keepers import let_spare_go

ATTACKS = sorted((Path(__file__).parent / "attacks").glob("*.py"))
GONE = 1.0  # seconds after the end in which everything that a sandbox started is gone
SECRET = "the-secret-of-4711"


@dataclass(frozen=True)
class Target:
    """What attacks aim at: a home, a course, a server."""

    home: Path
    course: Path
    server: socket.socket

    def aim(self, source: str) -> str:
        places = {"@home@": self.home, "@course@": self.course, "@port@": self.server.getsockname()[1]}
        return re.sub(r"@\w+@", lambda match: str(places[match[0]]), source)

    def untouched(self) -> bool:
        files = [sorted(p.name for p in folder.iterdir()) for folder in (self.home, self.course)]
        return files == [["secret"], ["secret"]] and (self.home / "secret").read_text() == SECRET


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    home, course = tmp_path / "home", tmp_path / "course"
    for folder in (home, course):
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        (folder / "secret").write_text(SECRET)
    monkeypatch.setenv("UDOCK_TOKEN", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Target(home, course, server)


@pytest.fixture(scope="session")
def walls() -> None:
    """Skip where the machine refuses walls: then the report says so, and limits are all there is."""
    missing = sandbox.run("pass", shut=True).missing_isolation
    if missing:
        pytest.skip(f"needs privilege: walls are refused here: {', '.join(missing)}")


def our_code() -> str:
    """One number for everything that the checker consists of."""
    digest = hashlib.sha256()
    for path in sorted(Path(udock_lab.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def temporary() -> list[str]:
    return sorted(os.listdir(tempfile.gettempdir()))


def of_the_launcher() -> dict[int, str]:
    """All that lives below this process's launcher, and what it is: sandboxes and nobody else's doings.

    A browser or a server that other tests have started stands beside the launcher and goes on as it likes.
    """
    launcher = the_launcher().pid
    assert launcher is not None
    return {pid: _facts(pid) for pid in descendants(launcher) if lives(pid)}


def without_a_spare_keeper() -> None:
    """No attack has met the keeper that waits for the next sandbox: it goes, so that whoever is left is somebody's."""
    let_spare_go()
    assert until(lambda: not any(map(_is_spare, of_the_launcher())))


def _is_spare(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"\0spare keeper\0")
    return False


def _facts(pid: int) -> str:
    """For whoever has to find out why it is still there."""
    words = [f"state {state(pid)}", f"child of {parent(pid)}"]
    for name in ("cmdline", "wchan"):
        with suppress(OSError):
            said = Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            words.append(f"{name} {said[:120]}")
    return ", ".join(words)


def left_behind(before: dict[int, str]) -> dict[int, str]:
    """What is there and was not before, after a second at most."""
    deadline = time.monotonic() + GONE
    while True:
        left = {pid: facts for pid, facts in of_the_launcher().items() if pid not in before}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``path`` is each attack of the part that this run takes, as with the corpus of answers; all in `make corpus`."""
    if "path" in metafunc.fixturenames:
        these = chosen(ATTACKS, metafunc.config.getoption("corpus"))
        metafunc.parametrize("path", these, ids=lambda path: path.stem)


@pytest.mark.usefixtures("walls")
def test_attack_harms_nothing_and_scores_nothing(path: Path, target: Target) -> None:
    sandbox.run("pass")  # the launcher is there before and after
    before = our_code(), mounts(target.home), temporary(), the_launcher().pid
    without_a_spare_keeper()
    processes = of_the_launcher()
    source = target.aim(path.read_text())
    earns = float((re.findall(r"^# earns: (\d+)$", source, re.MULTILINE) or ["0"])[0])

    report = judge(exercise("m2_1_process_creation"), Submission(source=source))

    assert report.points <= earns, check_text(report)
    without_a_spare_keeper()
    left = left_behind(processes)
    assert left == {}, "still there a second after the end"
    assert _sentences(report) != []
    said = check_text(report)
    assert SECRET not in said + check_html(report)
    assert "<script" not in check_html(report)
    assert [line for line in said.splitlines() if not line.isprintable()] == []
    assert target.untouched()
    with pytest.raises(BlockingIOError):  # nobody has called
        target.server.accept()
    assert (our_code(), mounts(target.home), temporary(), the_launcher().pid) == before


def _sentences(report: CheckReport) -> list[str]:
    failed = report.first_failure
    return [words for words in (failed.seen if failed else "", *report.notes) if len(words) > 10]


@pytest.mark.usefixtures("walls")
def test_code_behind_walls_sees_no_secret(target: Target) -> None:
    for name in ("read_the_solution", "read_secrets", "links_out"):
        source = target.aim((Path(__file__).parent / "attacks" / f"{name}.py").read_text())
        result = sandbox.run(source + "\nlaunch(['/bin/true'])", shut=True)
        said = result.stdout + result.stderr + repr(result.files)
        assert SECRET not in said
        assert "GOT" not in said
        assert str(Path.home()) not in str(result.files)
