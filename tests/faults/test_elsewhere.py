"""Containers that run where they cannot be seen: another pid namespace, another host, behind hidepid, no /proc."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import NOBODY, Mdock, eventually

from udock_lab import Runtime
from udock_lab.runtime.state import extras
from udock_lab.runtime.state.home import Home

pytestmark = pytest.mark.usefixtures("as_root")

_BEHIND_HIDEPID = """
import subprocess, sys
sys.path.insert(0, {here!r})
from hostile import Mdock
subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "proc", "/proc"], check=True)
done = Mdock({home!r})(*{words!r}, user={user})
print(done.stdout, done.stderr)
"""
_MAKE_A_COPY = """
from udock_lab.runtime.image.privatecopy import private_copy
from udock_lab.runtime.state.home import Home
with private_copy(Home({home!r}), {rootfs!r}):
    input(print(flush=True) or "")
"""
MDOCK = f"{sys.executable} -m udock_lab.cli"
HERE = os.path.dirname(__file__)
PATIENCE = 60.0  # seconds
NAMESPACE = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]


class Sleeper:
    """A detached container with a private copy, and its supervisor."""

    def __init__(self, runtime: Runtime) -> None:
        self.home, self.runtime = runtime.home, runtime
        done = self.mdock("run", "-d", "--copy", "demo", "--", "/bin/sh", "-c", "echo on; exec sleep 30")
        self.id = done.stdout.strip()
        self.spec = self.runtime.inspect(self.id).data["spec"]
        assert isinstance(self.spec, dict)

    def mdock(self, *words: str, inside: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [*inside, sys.executable, "-m", "udock_lab.cli", *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def from_elsewhere(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.mdock(*words, inside=tuple(NAMESPACE))

    def kill(self, *which: str) -> None:
        for pid in map(self.spec.get, which):
            if _runs(pid):
                os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: not _runs(pid))

    @property
    def is_whole(self) -> bool:
        """Its record, its log and its files are there, and its program runs."""
        there = self.runtime.ps()[0]
        return there.alive and os.path.isdir(self.spec["rootfs"]) and self.runtime.logs(self.id) == b"on\n"


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def sleeper(runtime: Runtime) -> Iterator[Sleeper]:
    found = Sleeper(runtime)
    eventually(lambda: found.is_whole)
    yield found
    found.kill("supervisor", "pid")


def test_prune_from_another_pid_namespace_keeps_a_living_container(sleeper: Sleeper) -> None:
    done = sleeper.from_elsewhere("prune")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"Container '{sleeper.id}' runs in another pid namespace. It stays." in done.stderr
    assert f"mdock rm -f {sleeper.id}" in done.stderr
    assert sleeper.is_whole


@pytest.mark.parametrize("words", ["stop", "stop -t 0", "kill", "kill -s USR1", "rm", "exec"])
def test_what_runs_elsewhere_is_left_alone_with_a_hint(sleeper: Sleeper, words: str) -> None:
    done = sleeper.from_elsewhere(*words.split(), sleeper.id, *(["/bin/true"] if words == "exec" else []))
    assert (done.returncode, done.stdout) == (125 if words == "exec" else 1, "")
    assert "runs in another pid namespace" in done.stderr and "where it was started" in done.stderr
    assert sleeper.is_whole
    assert sleeper.runtime.ps()[0].state == "running"
    assert " RUN " in Path(sleeper.home.log).read_text().splitlines()[-1]


def test_forced_removal_takes_even_what_runs_elsewhere(sleeper: Sleeper) -> None:
    done = sleeper.from_elsewhere("rm", "-f", sleeper.id)
    assert (done.returncode, done.stdout) == (0, f"{sleeper.id}\n"), done.stderr
    assert "its program was not ended" in done.stderr and _runs(sleeper.spec["pid"])
    assert sleeper.runtime.ps() == [] and not os.path.exists(sleeper.spec["rootfs"])


def test_ps_and_inspect_say_elsewhere_and_why(sleeper: Sleeper) -> None:
    shown = sleeper.from_elsewhere("ps").stdout
    assert "elsewhere (another pid namespace)" in shown
    data = json.loads(sleeper.from_elsewhere("inspect", sleeper.id).stdout)
    assert (data["state"], data["alive"]) == ("elsewhere (another pid namespace)", False)
    assert data["elsewhere"] == "another pid namespace"
    assert sleeper.from_elsewhere("ps", "-q", "--running").stdout == ""
    assert sleeper.runtime.inspect(sleeper.id).data["elsewhere"] is None


@pytest.mark.parametrize("dead", [["supervisor", "pid"], ["supervisor"]], ids=["all of it", "its supervisor"])
def test_what_nobody_looks_after_is_orphaned_and_can_be_removed(sleeper: Sleeper, dead: list[str]) -> None:
    sleeper.kill(*dead)
    assert "exited (orphaned)" in sleeper.from_elsewhere("ps").stdout
    assert sleeper.from_elsewhere("prune").stdout == f"{sleeper.id}\n"


def test_a_container_without_a_lock_is_judged_as_by_an_older_mdock(sleeper: Sleeper) -> None:
    spec = Path(sleeper.home.container_dir(sleeper.id)) / "spec.json"
    older = {key: value for key, value in json.loads(spec.read_text()).items() if key not in ("pid_namespace", "host")}
    spec.unlink()
    spec.write_text(json.dumps(older))
    assert sleeper.runtime.ps()[0].state == "running"
    assert "exited (orphaned)" in sleeper.from_elsewhere("ps").stdout


def test_what_another_host_runs_on_a_shared_home_is_left_alone(sleeper: Sleeper) -> None:
    """As its supervisor would have written it there; no second kernel shares this disk."""
    spec = Path(sleeper.home.container_dir(sleeper.id)) / "spec.json"
    text = spec.read_text()
    there = json.loads(text) | {"boot_id": "another", "host": "alpha"}
    spec.write_text(json.dumps(there))  # in place: the lock stays
    assert "elsewhere (host alpha)" in sleeper.mdock("ps").stdout
    done = sleeper.mdock("stop", sleeper.id)
    assert done.returncode == 1 and "runs on host alpha" in done.stderr and "ssh alpha" in done.stderr
    assert sleeper.mdock("prune").stdout == ""
    spec.write_text(text)
    assert sleeper.is_whole


def test_without_proc_nothing_is_taken_for_dead(sleeper: Sleeper) -> None:
    script = f"mount -t tmpfs none /proc; {MDOCK} ps; {MDOCK} prune; {MDOCK} stop {sleeper.id}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert "elsewhere (no /proc of this pid namespace)" in done.stdout
    assert done.returncode == 1 and "unshare --mount-proc" in done.stderr
    assert sleeper.is_whole


def test_a_user_namespace_that_lacks_proc_is_not_called_refused(runtime: Runtime) -> None:
    script = f"mount -t tmpfs none /proc; {MDOCK} run --userns demo true"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 125 and "no /proc is mounted here" in done.stderr, done.stderr
    assert "refuses" not in done.stderr


def test_what_proc_hides_is_not_taken_for_dead(open_place: Path, demo_rootfs: Path) -> None:
    """hidepid (proc(5)): root's container, seen by somebody else."""
    mdock = Mdock(open_place / "home")
    mdock("build", "demo", str(demo_rootfs))
    name = mdock("run", "-d", "demo", "--", "/bin/sleep", "30").stdout.strip()
    try:
        for words in ("ps", "stop c1"):
            code = _BEHIND_HIDEPID.format(here=HERE, home=mdock.home.path, words=words.split(), user=NOBODY)
            command = ["unshare", "-m", sys.executable, "-c", code]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
            wanted = "elsewhere (/proc hides it)" if words == "ps" else "hidepid"
            assert wanted in done.stdout, done.stdout + done.stderr
        assert mdock("ps", "-q", "--running").stdout == "c1\n"
    finally:
        mdock("kill", name)


def test_waiting_and_following_from_elsewhere_end_with_the_container(sleeper: Sleeper) -> None:
    waiting = [*NAMESPACE, sys.executable, "-m", "udock_lab.cli"]
    wait = subprocess.Popen([*waiting, "wait", sleeper.id], stdout=subprocess.PIPE, text=True)
    logs = subprocess.Popen([*waiting, "logs", "-f", sleeper.id], stdout=subprocess.PIPE, text=True)
    assert logs.stdout is not None and logs.stdout.readline() == "on\n"
    assert (wait.poll(), logs.poll()) == (None, None)
    sleeper.runtime.stop(sleeper.id)
    assert wait.communicate(timeout=PATIENCE)[0] == "143\n"
    assert logs.communicate(timeout=PATIENCE)[0] == ""


def test_a_container_of_another_namespace_is_seen_from_outside_as_elsewhere(runtime: Runtime) -> None:
    """A dev container that shares its user's home."""
    script = f"{MDOCK} run -d demo sleep 30; read end; {MDOCK} stop -t 1 c1; {MDOCK} ps"
    dev = subprocess.Popen([*NAMESPACE, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert dev.stdout is not None and dev.stdout.readline() == "c1\n"
    assert runtime.ps()[0].state == "elsewhere (another pid namespace)"
    assert runtime.prune() == []
    assert dev.communicate("end\n", timeout=PATIENCE)[0].splitlines()[-1].split()[4] == "stopped"
    assert runtime.prune() == ["c1"]


def test_a_dev_container_that_is_gone_leaves_a_record_that_can_be_removed(runtime: Runtime) -> None:
    subprocess.run([*NAMESPACE, "sh", "-c", f"{MDOCK} run -d demo sleep 30; :"], check=True, timeout=PATIENCE)
    assert runtime.ps()[0].state == "exited (orphaned)"
    assert runtime.prune() == ["c1"]


def test_a_copy_that_is_being_made_elsewhere_is_not_pruned(runtime: Runtime) -> None:
    code = _MAKE_A_COPY.format(home=runtime.home.path, rootfs=runtime.home.image_rootfs("demo"))
    maker = subprocess.Popen([*NAMESPACE, sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert maker.stdout is not None and maker.stdout.readline() == b"\n"
    runtime.prune()
    assert copies(runtime.home)
    maker.communicate(b"\n", timeout=PATIENCE)
    runtime.prune()
    assert not copies(runtime.home)


def copies(home: Home) -> list[str]:
    return [name for name in os.listdir(home.run_dir) if name.startswith("copy-")]


def test_what_runs_elsewhere_goes_on_in_its_image_when_a_forced_build_replaces_it(
    runtime: Runtime, demo_rootfs: Path
) -> None:
    waits = "until test -e /tmp/go; do sleep .1; done; ls /bin/sh; exit 6"
    script = f"{MDOCK} run -d demo sh -c '{waits}'; read end; {MDOCK} wait c1"
    dev = subprocess.Popen([*NAMESPACE, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert dev.stdout is not None and dev.stdout.readline() == "c1\n"
    runtime.build("demo", demo_rootfs, force=True)
    rootfs = extras.load_extra(runtime.home, "c1", "spec")["rootfs"]
    assert "kept-" in str(rootfs) and os.path.exists(f"{rootfs}/bin/sh")
    os.makedirs(f"{rootfs}/tmp", exist_ok=True)
    Path(f"{rootfs}/tmp/go").touch()
    assert dev.communicate("\n", timeout=PATIENCE)[0] == "6\n"
