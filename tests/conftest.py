"""Fixtures that all tests share, and two rules: no quiet skips in CI, nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab import Runtime

PRIVILEGE = "needs privilege:"


@pytest.fixture(scope="session")
def demo_rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system whose /bin/sh really starts."""
    from udock_lab.runtime.rootfs import make_rootfs

    folder = tmp_path_factory.mktemp("rootfs") / "demo"
    make_rootfs(str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MDOCK_HOME", str(folder))
    return folder


@pytest.fixture
def runtime(home: Path, demo_rootfs: Path) -> Iterator[Runtime]:
    """A runtime with the image ``demo``; what still runs in it at the end is killed."""
    runtime = Runtime(home)
    runtime.build("demo", demo_rootfs)
    yield runtime
    for container in runtime.ps(running=True):
        runtime.kill(container.id)


@pytest.fixture(scope="session")
def as_root() -> None:
    """Skip where chroot is refused."""
    if os.geteuid() != 0:
        pytest.skip(f"{PRIVILEGE} chroot needs root here")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In CI a skipped test is a failure, unless the machine refused the privilege."""
    for report in _quiet_skips(terminalreporter):
        terminalreporter.write_line(f"SKIPPED IN CI: {report.nodeid}: {report.longrepr[2]}", red=True)


def _quiet_skips(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    if not os.environ.get("CI"):
        return []
    return [r for r in reporter.stats.get("skipped", []) if PRIVILEGE not in r.longrepr[2]]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail on a quiet skip in CI, and on a process or mount that the tests left behind."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    left = _leftovers()
    if left:
        reporter.write_line("\nLEFT BEHIND: " + "; ".join(left), red=True)
    if left or _quiet_skips(reporter):
        session.exitstatus = 1


def _leftovers() -> list[str]:
    """Mounts under a test's folder, and launchers that nobody owns any more."""
    left = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if "/pytest-of-" in line]
    if shutil.which("pgrep"):
        found = subprocess.run(
            ["pgrep", "-P", "1", "-f", "udock_lab/runtime/launcher.py"], capture_output=True, text=True
        )
        left += [f"launcher {pid}" for pid in found.stdout.split()]
    return left
