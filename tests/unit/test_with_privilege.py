"""``scripts/with_privilege.py`` and ``left_behind.py``: who the lessons are tried as, and what they may leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from mounts import mounts

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "with_privilege.py"
LEFT_BEHIND = ROOT / "scripts" / "left_behind.py"
ASK = """
import json, os
from udock_lab.isolation.probe import probe
report = probe()
works = {feature.name: feature.works for feature in report.features}
print(json.dumps([os.geteuid(), report.rung, works["chroot"], works["user namespace"]]))
"""


def told(who: str, *command: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SCRIPT), who, *(command or (sys.executable, "-c", ASK))]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        env = os.environ | {"TMPDIR": folder, "HOME": folder}
        done = subprocess.run(words, cwd="/", env=env, capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip(f"needs privilege: {done.stderr.strip()}")
    return done


def test_an_ordinary_user_is_refused_chroot_and_can_still_read_this_python() -> None:
    done = told("user")
    assert done.returncode == 0, done.stderr
    uid, _, chroot, _ = json.loads(done.stdout)
    assert uid != 0
    assert not chroot


def test_the_refused_stand_on_the_last_rung() -> None:
    done = told("refused")
    assert done.returncode == 0, done.stderr
    uid, rung, chroot, userns = json.loads(done.stdout)
    assert uid != 0
    assert (rung, chroot, userns) == ("E", False, False)


def test_the_refused_may_still_fork_and_run_threads() -> None:
    code = "import os, threading; t = threading.Thread(target=print, args=('thread',), kwargs={'flush': True}); t.start(); t.join(); os.system('echo fork')"
    assert told("refused", sys.executable, "-c", code).stdout.split() == ["thread", "fork"]


def test_root_stays_root_with_the_exit_code_of_the_command(as_root: None) -> None:
    assert told("root", "/bin/sh", "-c", "exit $(id -u)").returncode == 0
    assert told("root", "/bin/sh", "-c", "exit 42").returncode == 42


def test_the_machine_s_own_folders_are_not_changed(as_root: None, tmp_path: Path) -> None:
    before = mounts(tmp_path), Path("/root").stat().st_mode
    told("user", "/bin/true")
    assert (mounts(tmp_path), Path("/root").stat().st_mode) == before


def test_nobody_becomes_what_does_not_exist() -> None:
    assert told("emperor", "/bin/true").returncode == 2
    assert told("user").returncode != 2


def left(folder: Path) -> subprocess.CompletedProcess[str]:
    patient = LEFT_BEHIND.read_text().replace("PATIENCE = 5.0", "PATIENCE = 0.2")
    return subprocess.run([sys.executable, "-c", patient, str(folder)], capture_output=True, text=True, timeout=30)


def test_what_a_lesson_leaves_is_named(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    assert (left(tmp_path).returncode, left(tmp_path).stdout) == (0, "")
    (tmp_path / "tmp" / "udock-lesson-x").mkdir()
    sleeper = subprocess.Popen(["sleep", "60"], env={"HOME": str(tmp_path)})
    try:
        done = left(tmp_path)
    finally:
        os.kill(sleeper.pid, signal.SIGKILL)
        sleeper.wait()
    assert done.returncode == 1
    assert f"LEFT BEHIND: process {sleeper.pid}: sleep 60" in done.stdout
    assert "LEFT BEHIND: temporary udock-lesson-x" in done.stdout
