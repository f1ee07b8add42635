"""Every rung of the ladder, stood on for real: each test takes privileges away from a child and probes there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mounts import mounts
from waiting import until

from udock_lab import Runtime
from udock_lab.isolation.probe import probe
from udock_lab.linux.process import children
from udock_lab.model import DoctorReport
from udock_lab.model.jsontext import to_json
from udock_lab.model.plain import plain
from udock_lab.runtime.doctor import report_from_json

pytestmark = pytest.mark.forks  # probe() does

# The probe's child must not depend on files that an ordinary user may not read: everything is imported first.
PRELUDE = """
import os, sys
from udock_lab.isolation.probe import probe
from udock_lab.model.jsontext import to_json
from udock_lab.model.plain import plain
from udock_lab.linux.mounts import *
from udock_lab.linux.namespaces import *
from udock_lab.linux.prctl import *

def userns(count):
    "Enter a user namespace that maps the first count uids and gids; our parent outside writes the maps."
    ready, done = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(ready[0], 1)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{os.getppid()}/{name}", "w") as file:
                file.write(f"0 0 {count}")
        os.write(done[1], b".")
        os._exit(0)
    unshare(CLONE_NEWUSER)
    os.write(ready[1], b".")
    os.read(done[0], 1)
    os.waitpid(pid, 0)

def forbid_user_namespaces():
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")  # of this user namespace, not of the machine

def mask_proc():
    unshare(CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("/dev/null", "/proc/keys", None, MS_BIND)

def become_ordinary():
    os.setgroups([])
    os.setresgid(1000, 1000, 1000)
    os.setresuid(1000, 1000, 1000)
    prctl(4, 1)  # PR_SET_DUMPABLE: our files in /proc are ours again
    os.chdir("/")
"""
ANSWER = "\nprint(to_json(plain(probe())).decode())\n"
CHROOT_ONLY = ["setpriv", "--bounding-set", "-all,+sys_chroot"]


def probed(preparation: str, *wrapper: str) -> DoctorReport:
    """The report of a process that has prepared itself like this."""
    command = [*wrapper, sys.executable, "-c", PRELUDE + preparation + ANSWER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return report_from_json(done.stdout.encode())


def works(report: DoctorReport) -> dict[str, bool]:
    return {feature.name: feature.works for feature in report.features}


@pytest.fixture
def machine(as_root: None) -> dict[str, bool]:
    """What this machine's root may do; a rung that needs more cannot be stood on here."""
    report = works(probe())
    if not (report["chroot"] and report["user namespace"]):
        pytest.skip("needs privilege: chroot and user namespaces")
    return report


def test_root_with_every_namespace_stands_on_a(machine: dict[str, bool]) -> None:
    report = probed("")
    if not machine["mount namespace"]:
        pytest.skip("needs privilege: a mount namespace")
    assert report.rung == "A"
    assert works(report)["fresh /proc"]


def test_an_ordinary_user_with_user_namespaces_stands_on_b(machine: dict[str, bool]) -> None:
    report = probed("become_ordinary()")
    assert report.rung == "B"
    found = works(report)
    assert (found["chroot"], found["user namespace"], found["fresh /proc"]) == (False, True, True)
    pid = next(feature for feature in report.features if feature.name == "pid namespace")
    assert pid.detail == "works inside a user namespace (as you are: EPERM: Operation not permitted)"


def test_a_masked_proc_puts_an_ordinary_user_on_c(machine: dict[str, bool]) -> None:
    report = probed("mask_proc(); become_ordinary()")
    assert report.rung == "C"
    fresh = next(feature for feature in report.features if feature.name == "fresh /proc")
    assert "EPERM" in fresh.detail


def test_a_root_that_may_chroot_and_nothing_else_stands_on_d(machine: dict[str, bool]) -> None:
    drop = "import subprocess; userns(65536); forbid_user_namespaces(); sys.stdout.flush()"
    inner = PRELUDE + ANSWER
    report = probed(f"{drop}; os.execvp('setpriv', {[*CHROOT_ONLY, sys.executable, '-c', inner]!r})")
    assert report.rung == "D"
    found = works(report)
    assert found["chroot"]
    assert not any(value for name, value in found.items() if name.endswith("namespace"))


def test_root_without_sys_admin_is_not_taken_for_full_root(machine: dict[str, bool]) -> None:
    """A user namespace gives it mount namespaces, which is rung B, not A."""
    report = probed("", "setpriv", "--bounding-set", "-sys_admin")
    assert works(report)["chroot"]
    assert works(report)["mount namespace"]
    assert report.rung == "B"


def test_an_ordinary_user_where_user_namespaces_are_forbidden_stands_on_e(machine: dict[str, bool]) -> None:
    report = probed("userns(65536); forbid_user_namespaces(); become_ordinary()")
    assert report.rung == "E"
    chroot, userns = report.features[:2]
    assert chroot.detail == "EPERM: Operation not permitted"
    assert "ENOSPC" in userns.detail
    assert "max_user_namespaces" in userns.remedy


@pytest.mark.parametrize(
    "preparation", ["", "become_ordinary()", "userns(65536); forbid_user_namespaces(); become_ordinary()"]
)
def test_every_no_comes_with_a_reason_and_a_remedy_and_no_yes_has_one(
    machine: dict[str, bool], preparation: str
) -> None:
    for feature in probed(preparation).features:
        assert feature.detail
        assert bool(feature.remedy) != feature.works, feature


def test_a_system_call_that_kills_is_reported_and_not_caught_by_us() -> None:
    """A strict filter answers with SIGSYS or SIGKILL: the attempt's child dies, the probe goes on."""
    code = (
        "import os, signal; from udock_lab.isolation.probe import _in_child;"
        "print(_in_child(lambda: os.kill(os.getpid(), signal.SIGSYS)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(False, 'the attempt was killed by SIGSYS')\n"


def _folders(place: str) -> set[str]:
    return {name for name in os.listdir(place) if name.startswith("mdock-probe-")}


def test_the_probe_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    mounted, status = mounts(tmp_path), Path("/proc/self/status").read_text()
    groups = [line.split()[1] for line in mounted if line.split()[2].startswith("cgroup")]
    before = set(children(os.getpid()))
    probe()
    assert os.listdir(tmp_path) == []
    assert mounts(tmp_path) == mounted
    assert until(lambda: not any(map(_folders, groups)))  # somebody else's probe ends
    assert set(children(os.getpid())) <= before
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(("Uid", "Cap", "Seccomp:", "NoNewPrivs", "TracerPid")):
            assert line in status


def test_doctor_from_a_process_with_threads_gives_the_same_report(home: Path) -> None:
    expected = probe()
    report = Runtime(home).doctor()
    assert (report.rung, works(report)) == (expected.rung, works(expected))


def test_a_report_survives_its_journey_as_json() -> None:
    report = probe()
    assert report_from_json(to_json(plain(report))) == report
