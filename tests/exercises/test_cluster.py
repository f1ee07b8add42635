"""A class on a Dask cluster: everybody is judged once, whatever is killed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from classroom import answer, dump, handed_in
from waiting import until

from udock_lab import course as program
from udock_lab.grading.batch import Batch
from udock_lab.grading.clusterwork import Asked, asked_in, judge, software
from udock_lab.grading.submissions import find_submissions
from udock_lab.grading.tries import MOST, Tries

SLUG = "m2_1_process_creation"
NOT_WRITTEN = "def launch(argv):\n    raise NotImplementedError"
SLEEPS = "import time\n\ndef launch(argv):\n    time.sleep(1)"


def hand_in(folder: Path, learner: str, source: str = NOT_WRITTEN) -> None:
    dump(handed_in(SLUG, f"# {learner}\n{source}"), folder / learner / SLUG / f"{SLUG}.ipynb")


def points(out: Path) -> list[tuple[str, str]]:
    with open(out / "grades.csv") as file:
        return [(row["learner"], row["points"]) for row in csv.DictReader(file)]


def started(submitted: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "udock_lab.course", "grade", str(submitted), "--cluster", "local", "--jobs", "2"]
    return subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def workers_of(pid: int) -> list[psutil.Process]:
    """The Dask workers below a process, those that are about to start included."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                if any("spawn_main" in word for word in child.cmdline()):
                    found.append(child)
    return found


def judging(submitted: Path) -> bool:
    """Whether the submission that takes its time is being judged."""
    return any((submitted.parent / "graded" / ".tries" / "sleeps").glob("*"))


def test_when_every_worker_is_killed_all_are_judged_once_and_with_the_same_points(tmp_path: Path) -> None:
    submitted = tmp_path / "submitted"
    for learner in ("kim", "lee", "max", "tried"):
        hand_in(submitted, learner)
    hand_in(submitted, "sleeps", SLEEPS)
    (tried,) = (one for one in find_submissions(submitted) if one.learner == "tried")
    for _ in range(MOST):
        Tries(tmp_path / "graded").begin(tried)
    client = started(submitted)
    assert until(lambda: judging(submitted), 100)
    for worker in workers_of(client.pid):
        worker.kill()
    out, err = client.communicate(timeout=200)
    assert client.returncode == 0, err
    assert "5 submissions of 5 learners" in out
    assert f"was tried {MOST} times" in out
    assert points(tmp_path / "graded") == [(one, "0.0") for one in ("kim", "lee", "max", "sleeps", "tried")]
    assert "Traceback" not in err and "distributed" not in err
    assert not (tmp_path / "graded" / ".cluster").exists()


def test_a_client_that_is_killed_leaves_no_worker_and_goes_on_where_it_was(tmp_path: Path) -> None:
    submitted, graded = tmp_path / "submitted", tmp_path / "graded"
    for learner in ("a", "b", "c"):
        hand_in(submitted, learner)
    hand_in(submitted, "sleeps", SLEEPS)
    client = started(submitted)
    assert until(lambda: judging(submitted) and list(graded.glob("?/*.json")), 100)
    workers = workers_of(client.pid)
    client.kill()
    client.communicate(timeout=100)
    assert until(lambda: not [one for one in workers if one.is_running() and one.status() != "zombie"], 60)
    kept = {path: path.stat().st_mtime_ns for path in graded.glob("?/*.json")}
    again = started(submitted)
    out, err = again.communicate(timeout=200)
    assert again.returncode == 0, err
    assert f"({len(kept)} kept from before)" in out
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in graded.glob("*/*.json")}.items()
    assert [learner for learner, _ in points(graded)] == ["a", "b", "c", "sleeps"]


def test_ctrl_c_ends_it_without_a_traceback_and_leaves_nothing(tmp_path: Path) -> None:
    submitted = tmp_path / "submitted"
    hand_in(submitted, "sleeps", SLEEPS)
    client = started(submitted)
    assert until(lambda: judging(submitted), 100)
    workers = workers_of(client.pid)
    os.killpg(client.pid, signal.SIGINT)
    _, err = client.communicate(timeout=100)
    assert (client.returncode, len(workers)) == (130, 2)
    assert "the same command goes on from there" in err and "Traceback" not in err
    assert until(lambda: not [one for one in workers if one.is_running()], 60)


GIVEN_UP = """
if __name__ == "__main__":
    import os, sys, dask
    from pathlib import Path
    sys.path += sys.argv[2:]
    from waiting import until
    from test_cluster import workers_of
    from udock_lab.grading import cluster
    with cluster._place("local", 1, Path(sys.argv[1])) as place:
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"})
        ours = place._cluster
        [worker] = workers_of(os.getpid())
        worker.kill()
        assert until(lambda: not ours.workers, 60)
        assert not ours.scheduler.workers
        assert until(lambda: place.look(print) and ours.scheduler.workers, 60)
        assert place.executor.submit(os.getppid).result(timeout=60) == os.getpid()
"""


def test_a_worker_that_its_cluster_has_given_up_is_replaced(tmp_path: Path) -> None:
    """What makes a client of Dask's wait for ever: with this timeout it gives up each worker that is lost."""
    (tmp_path / "given_up.py").write_text(GIVEN_UP)
    command = [sys.executable, str(tmp_path / "given_up.py"), str(tmp_path / "scratch"), *filter(None, sys.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


# --- a cluster at an address, and what makes its workers refuse

SCHEDULER = """
import sys, distributed
with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0") as made:
    print(made.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A scheduler with one worker, both in another process."""
    with subprocess.Popen([sys.executable, "-c", SCHEDULER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          cwd=tmp_path) as process:  # fmt: skip
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def address(scheduler: subprocess.Popen[str]) -> str:
    assert scheduler.stdout
    return scheduler.stdout.readline().strip()


def graded(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", "grade", "submitted", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


def test_a_worker_judges_by_what_it_has_loaded_or_not_at_all(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert program.main(["new", "exercise", "exit_status"]) == 0
    source = tmp_path / "source" / "exit_status" / "exit_status.ipynb"
    for learner in ("kim", "lee"):
        dump(source.read_text(), tmp_path / "submitted" / learner / "exit_status" / "exit_status.ipynb")
    done = graded(tmp_path, "--cluster", address, "--only", "kim")
    assert done.returncode == 0, done.stderr
    assert ("kim", "4.0") in points(tmp_path / "graded")
    judges = tmp_path / "exercises" / "exit_status" / "judge.py"
    judges.write_text(judges.read_text() + "# another version\n")
    done = graded(tmp_path, "--cluster", address)
    assert done.returncode == 1
    assert "has other judges of exit_status than are here, or has loaded them before" in done.stderr
    assert "start it anew" in done.stderr and "is kept" in done.stderr and "Traceback" not in done.stderr


def test_when_the_scheduler_is_killed_it_says_so_and_nothing_is_lost(
    scheduler: subprocess.Popen[str], address: str, tmp_path: Path
) -> None:
    hand_in(tmp_path / "submitted", "early")
    hand_in(tmp_path / "submitted", "sleeps", SLEEPS)
    command = [sys.executable, "-m", "udock_lab.course", "grade", str(tmp_path / "submitted"), "--cluster", address]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert until(lambda: judging(tmp_path / "submitted") and list(tmp_path.glob("graded/early/*.json")), 100)
    scheduler.kill()
    _, err = client.communicate(timeout=200)
    assert client.returncode == 1
    assert f"No Dask scheduler answers at {address}" in err and "the same command goes on from there" in err
    assert "Traceback" not in err and "distributed." not in err
    assert list(tmp_path.glob("graded/early/*.json"))


def test_a_worker_refuses_another_version_and_a_folder_that_it_does_not_see(tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", "kim")
    (sent,) = find_submissions(tmp_path / "submitted")
    out = tmp_path / "graded"
    asked = Asked(sent, out, None, again=True, begun="x", versions={}, software="udock-lab 0.0.1 on Python 3.11.0")
    assert f"does not see {out} as it is here" in judge(asked).refused
    asked_in(out, "x").parent.mkdir(parents=True)
    asked_in(out, "x").touch()
    assert f"has {software()}; here it is udock-lab 0.0.1" in judge(asked).refused
    assert not list(out.glob("kim/*"))
    rows = [judge(asked._replace(versions=Batch(out).all_versions())) for _ in range(2)]
    assert [row.result and row.result.kept for row in rows] == [False, True], "once in each run, with --again too"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--cluster", "tcp://127.0.0.1:1"], "No Dask scheduler answers at tcp://127.0.0.1:1"),
        (["--cluster", "over://there"], "It is a scheduler's address, as tcp://10.0.0.1:8786, or: local"),
        (["--cluster", "local", "--shard", "0/2"], "two ways to divide a class"),
        (["--cluster", "tcp://127.0.0.1:1", "--jobs", "3"], "Leave --jobs out"),
    ],
)
def test_a_cluster_that_cannot_be_meant_is_told_in_a_sentence(
    tmp_path: Path, capsys: Any, words: list[str], says: str
) -> None:
    hand_in(tmp_path / "submitted", "kim")
    assert program.main(["grade", str(tmp_path / "submitted"), *words]) in (1, 2)
    assert says in capsys.readouterr().err


def test_without_dask_it_says_what_to_install(tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", "kim")
    code = (
        "import sys; sys.modules['distributed'] = None; from udock_lab.course import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "grade", str(tmp_path / "submitted"), "--cluster", "local"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "pip install 'udock-lab[cluster]'" in done.stderr and "Traceback" not in done.stderr


# --- a class of 300


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_worker_killed_every_20_seconds_costs_nobody_a_point(tmp_path: Path) -> None:
    from harness import CORPUS

    submitted = tmp_path / "submitted"
    names = sorted(path.stem for path in (CORPUS / SLUG).glob("*.py"))
    for number in range(300):
        source = answer(SLUG, names[number // 15]) if number % 15 == 0 else NOT_WRITTEN
        hand_in(submitted, f"s{number:03d}", source)
    assert program.main(["grade", str(submitted), "--jobs", "2", "--out", str(tmp_path / "here")]) == 0
    client = started(submitted, "--out", str(tmp_path / "there"))
    killed = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            out, err = client.communicate(timeout=20)
            break
        for worker in workers_of(client.pid)[killed % 2 :][:1]:
            worker.kill()
            killed += 1
    assert client.returncode == 0, err
    assert killed >= 5 and "300 submissions of 300 learners" in out
    lines = [line for line in err.splitlines() if " of 300  " in line]
    assert len(lines) == 300 and len({line.split()[3] for line in lines}) == 300
    assert points(tmp_path / "there") == points(tmp_path / "here")


@pytest.mark.parametrize("missing", ["distributed", "cryptography"])
def test_without_what_the_extra_brings_the_command_that_installs_it_is_named(missing: str, tmp_path: Path) -> None:
    dump(handed_in("m2_1_process_creation", "pass"), tmp_path / "submitted/kim/m2_1/m2_1_process_creation.ipynb")
    code = f"import sys; sys.modules[{missing!r}] = None; from udock_lab.course import command; command()"
    words = ["grade", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"), "--cluster", "local"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, "pip install 'udock-lab[cluster]'" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
