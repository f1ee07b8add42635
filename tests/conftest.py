"""Fixtures that all tests share, and three rules: no quiet skips in CI, nothing left behind, no fork beside threads.

Tests have what users have: a HOME, and none of the variables that mdock or Jupyter could be told by. What a test sets
all the same stands in ``scripts/test_settings.toml``, with the reason.

Whatever a session starts carries ``UDOCK_TEST_SESSION`` in its environment, and temporary files go to a folder of
the session's own, so that leftovers are told from what else happens on the machine. With ``-n`` (pytest-xdist) each
process that runs tests is a session in this sense, and keeps the rules for itself; the first one only hands out tests.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from udock_lab import Conflict, Runtime, Unsupported

PRIVILEGE = "needs privilege:"
SESSION = "UDOCK_TEST_SESSION"
DEVELOPERS_OWN = ("MDOCK_", "UDOCK_WIDGETS", "UDOCK_INSTRUCTOR", "IPYTHON", "JUPYTER_", "MPLCONFIGDIR")
PATIENCE = 5.0  # seconds for what is ending to have ended
settings.register_profile("a busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("a busy machine")  # how long an example takes says how crowded the machine is, and no more
SCRATCH = pytest.StashKey[Path]()  # temporary files of the code under test
SLOWEST = (  # in several processes these begin first; a file that is not here begins in its turn
    "test_nbgrader",
    "test_sandbox_rungs",
    "test_pictures",  # and with it the other ones of the browser
    "test_notebooks",
    "test_sandbox",
    "test_hostile",
    "test_oldest_versions",
    "test_userns_default",
    "test_trees_that_change",
    "test_at_a_terminal",
    "test_grade",
    "test_hygiene",
    "test_stopped_supervisor",
    "test_resources_outlive",
    "test_explanations",
    "test_a_thousand_containers",
    "test_benchmarks",
    "test_lifecycle",
)
TOGETHER = "tests/browser/"  # one JupyterLab and one browser serve them all
ONE_BY_ONE = ("tests/exercises/test_corpus.py::test_answer_is", "tests/exercises/test_hostile.py::test_attack")
ROOMS_WITH_THREADS = ("browser", "exercises", "interop", "notebooks")
BASE = pytest.StashKey[Path]()  # pytest's own, of which it keeps the last three
FORKED = pytest.StashKey[set[str]]()  # tests that forked this process while it had threads
COMPLAINTS = pytest.StashKey[list[str]]()  # of the processes that ran tests for this one


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--corpus", default="", metavar="N", help="answers that are judged: all, the Nth eighth of them, or N/M"
    )
    parser.addoption("--turn", default="", metavar="N", help="of tests that take turns: all, or those whose turn is N")


def pytest_configure(config: pytest.Config) -> None:
    """Settle what takes its turn in this run, once for all processes of ``-n``: the next part at each commit."""
    config.option.corpus = config.option.corpus or f"{_commits()}/32"
    config.option.turn = config.option.turn or str(_commits())


def _commits() -> int:
    """Of this checkout; the day where there is none, or only its last one."""
    count = ["git", "-C", str(Path(__file__).parent), "rev-list", "--count", "HEAD"]
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        number = int(subprocess.run(count, capture_output=True, text=True, check=True, timeout=20).stdout)
        if number > 1:
            return number
    return int(time.time()) // 86400


def pytest_report_header(config: pytest.Config) -> str:
    return f"what takes its turn: --corpus {config.option.corpus} --turn {config.option.turn}"


@pytest.fixture(scope="session")
def demo_rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system whose /bin/sh really starts."""
    from udock_lab.runtime.image.rootfs import make_rootfs

    folder = tmp_path_factory.mktemp("rootfs") / "demo"
    make_rootfs(str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """mdock's home of a user who has never used it, in a HOME of this test's own."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    yield folder / ".mdock"
    os.environ.pop("MDOCK_HOME", None)  # a lesson that the test did not end


@pytest.fixture
def runtime(home: Path, demo_rootfs: Path) -> Iterator[Runtime]:
    """A runtime with the image ``demo``; what still runs in it at the end is killed."""
    runtime = Runtime(home)
    runtime.build("demo", demo_rootfs)
    yield runtime
    for container in runtime.ps(running=True):
        with suppress(Conflict):  # it has just ended by itself
            runtime.kill(container.id)


@pytest.fixture(scope="session")
def as_root() -> None:
    """Skip where the tests do not run as root: for what no user namespace gives (other users, devices, real mounts)."""
    if os.geteuid() != 0:
        pytest.skip(f"{PRIVILEGE} this takes root itself, not a user namespace")


@pytest.fixture
def chroot_works(home: Path) -> None:
    """Runs of this home are really inside their image: as root, else by a user namespace, as the home's default."""
    if os.geteuid() != 0:
        try:
            Runtime(home).configure("userns", True)
        except Unsupported as error:
            pytest.skip(f"{PRIVILEGE} {error.message}")


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that an ordinary user reaches and may write to; skips where that cannot be had."""
    if os.geteuid() != 0:
        pytest.skip(f"{PRIVILEGE} only root can become an ordinary user")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    tmp_path.chmod(0o777)
    probe = f"import os; os.setuid(65534); os.listdir({str(tmp_path)!r})"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip(f"{PRIVILEGE} an ordinary user does not reach the test's folders here")
    return tmp_path


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """First the tests that fork this process, then those that leave threads in it: kernels' clients and browsers.

    The child of a process with threads may hang, and Python 3.12 and later warn of every such fork. The processes of
    ``-n`` have a thread from the start: what forks runs without. There, what takes longest begins first.
    """
    _keep_whose_turn_it_is(config, items)
    if hasattr(config, "workerinput"):
        items.sort(key=_haste)
    else:
        items.sort(key=_leaves_threads)


def _keep_whose_turn_it_is(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of each test marked ``in_turn(M)``, keep one case in M: the others have their turn at other commits."""
    if config.option.turn == "all":
        return
    cases, kept, others = Counter[str](), [], []
    for item in items:
        mark, test = item.get_closest_marker("in_turn"), item.nodeid.partition("[")[0]
        waits = mark is not None and (cases[test] - int(config.option.turn)) % mark.args[0]
        (others if waits else kept).append(item)
        cases[test] += 1
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = kept


def _leaves_threads(item: pytest.Item) -> bool:
    at_the_top = item.path.parent == Path(__file__).parent  # those have kernels
    return at_the_top or not set(ROOMS_WITH_THREADS).isdisjoint(item.path.parts)


def _haste(item: pytest.Item) -> int:
    return SLOWEST.index(item.path.stem) if item.path.stem in SLOWEST else len(SLOWEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out file by file, since fixtures are a file's; the browser's together, answers of the corpus one by one."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(TOGETHER):
                return TOGETHER
            return nodeid if nodeid.startswith(ONE_BY_ONE) else str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False  # the order is ours
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: two for each processor, since most tests wait for other processes."""
    return 2 * len(os.sched_getaffinity(0))


def _only_hands_out(config: pytest.Config) -> bool:
    return config.getoption("dist", "no") != "no"


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process that ran tests has ended: what it complains of is ours to say."""
    node.config.stash[COMPLAINTS] += getattr(node, "workeroutput", {}).get("complaints", [])


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Mark what this session starts, and give it a place for temporary files that any user may write to."""
    session.config.stash[COMPLAINTS] = []
    if _only_hands_out(session.config):
        return
    os.environ[SESSION] = str(os.getpid())
    session.config.stash[BASE] = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    scratch = Path(tempfile.mkdtemp(prefix="udock-tests-"))
    scratch.chmod(0o1777)
    session.config.stash[SCRATCH] = scratch
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    _forget_the_developer(scratch / "user")
    _hear_interrupts()
    forked = session.config.stash[FORKED] = set()
    os.register_at_fork(after_in_parent=lambda: _note_fork_beside_threads(forked))


def _hear_interrupts() -> None:
    """A shell's ``&`` and nohup have them ignored (sh(1)), and so would everything that a test starts."""
    heard = (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
        (signal.SIGHUP, lambda *_: None),  # the tests go on; what they start gets the default (execve(2))
    )
    for number, handler in heard:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def _note_fork_beside_threads(forked: set[str]) -> None:
    """In this process, not in the children of tests. Afterwards: numpy's threads end before a fork."""
    if os.environ[SESSION] == str(os.getpid()) and len(os.listdir("/proc/self/task")) > 1:
        forked.add(os.environ.get("PYTEST_CURRENT_TEST", "outside a test"))


def _forget_the_developer(fresh: Path) -> None:
    """A HOME of nobody's, for tests that bring none; pip and uv find what they have downloaded before."""
    for name in [name for name in os.environ if name.startswith(DEVELOPERS_OWN)]:
        del os.environ[name]
    own = Path.home()
    os.environ.setdefault("PIP_CONFIG_FILE", str(own / ".config/pip/pip.conf"))
    os.environ.setdefault("PIP_CACHE_DIR", str(own / ".cache/pip"))
    os.environ.setdefault("UV_CACHE_DIR", str(own / ".cache/uv"))
    fresh.mkdir()
    os.environ["HOME"] = str(fresh)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail on a quiet skip in CI, on a process, mount, socket or temporary folder left behind, on a risky fork."""
    config, reporter = session.config, session.config.pluginmanager.get_plugin("terminalreporter")
    complaints = config.stash[COMPLAINTS] if _only_hands_out(config) else _of_this_process(config.stash)
    if hasattr(config, "workeroutput"):
        config.workeroutput["complaints"] = complaints
        return
    complaints += [f"SKIPPED IN CI: {what}" for what in _quiet_skips(reporter)]
    if complaints:
        reporter.write_line("\n" + "\n".join(complaints), red=True)
        session.exitstatus = 1


def _of_this_process(stash: pytest.Stash) -> list[str]:
    complaints = [f"LEFT BEHIND: {what}" for what in _leftovers(stash[BASE], stash[SCRATCH])]
    complaints += [f"FORKED BESIDE THREADS: {test}" for test in sorted(stash[FORKED])]
    shutil.rmtree(stash[SCRATCH], ignore_errors=True)
    return complaints


def _quiet_skips(reporter: pytest.TerminalReporter) -> list[str]:
    """In CI a skipped test is a failure, unless the machine refused the privilege."""
    if not os.environ.get("CI"):
        return []
    skips = [(r.nodeid, r.longrepr[2].removeprefix("Skipped: ")) for r in reporter.stats.get("skipped", [])]
    return [f"{test}: {reason}" for test, reason in skips if not reason.startswith(PRIVILEGE)]


def _leftovers(base: Path, scratch: Path) -> list[str]:
    from udock_lab.runtime.client.connection import the_launcher

    gc.collect()
    the_launcher().close()
    deadline = time.monotonic() + PATIENCE
    while (processes := _processes(base)) and time.monotonic() < deadline:
        time.sleep(0.05)
    folders = (str(base), str(scratch))
    return [
        *processes,
        *(f"mount {place}" for place in _mounts(folders)),
        *(f"socket {path}" for path in _sockets(folders)),
        *(f"temporary {path}" for path in sorted(scratch.iterdir()) if path.name.startswith(("mdock", "udock"))),
    ]


def _mounts(folders: tuple[str, ...]) -> list[str]:
    """What is mounted below the folders, or bears this session's name; blanks are written as \\040 there (proc(5))."""
    found, ours = [], f"udock-{os.getpid()}".encode()
    for line in Path("/proc/self/mounts").read_bytes().splitlines():
        device, place = line.split()[:2]
        place = place.replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\012", b"\n").replace(b"\\134", b"\\")
        if os.fsdecode(place).startswith(folders) or device == ours:
            found.append(os.fsdecode(place))
    return found


def _sockets(folders: tuple[str, ...]) -> list[str]:
    """Unix sockets below the folders that somebody still holds (unix(7))."""
    named = [line.split(maxsplit=7) for line in Path("/proc/net/unix").read_text(errors="replace").splitlines()[1:]]
    paths = {fields[7] for fields in named if len(fields) == 8}
    return sorted(path for path in paths if path.startswith(folders))


def _processes(base: Path) -> list[str]:
    """Processes of this session: by their environment, and containers, which inherit none, by their root."""
    mark = f"{SESSION}={os.getpid()}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        with suppress(OSError):
            ours = mark in (entry / "environ").read_bytes().split(b"\0")
            if ours or os.readlink(entry / "root").startswith(str(base)):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"process {entry.name}: {command[:120]}")
    return found
