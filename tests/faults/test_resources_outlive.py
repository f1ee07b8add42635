"""What outlives whoever acquired it: after any kill, ``prune`` or ``rm`` leaves nothing that nobody has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import NOBODY, Disk, Mdock, eventually
from sudden import CALLS, die_at, killing
from waiting import sleeps, until

from udock_lab import Runtime
from udock_lab.errors import LauncherDied
from udock_lab.linux.process import descendants, lives, state
from udock_lab.runtime.state import containers, extras, resources
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.resources import Folder

MAKING = CALLS | {"mkdir": "mkdir,mkdirat", "remove": "unlink,unlinkat,rmdir"}
WAITING = """
import sys
from udock_lab import Runtime
from udock_lab.errors import LauncherDied
runtime = Runtime(forked=sys.argv[1] == "forked")
runtime.run("demo", ["/bin/true"])
print("ready", flush=True)
sys.stdin.readline()
runtime.run("demo", ["/bin/true"], copy=True, remove=sys.argv[2] == "removed")
"""
MODES = ["forked", "launcher"]  # the command line's way, and the notebook's


@pytest.fixture
def mdock(tmp_path: Path, demo_rootfs: Path) -> Iterator[Mdock]:
    made = Mdock(tmp_path / ".mdock")
    assert made("build", "demo", str(demo_rootfs)).returncode == 0
    yield made
    if left := made("ps", "-q", "--running").stdout.split():
        made("kill", *left)


def nothing_is_left(home: Home) -> bool:
    """Of any container, in the home; its images are there."""
    assert set(os.listdir(home.run_dir)) <= {"config", "highest_id", "known_table", "lock", "userns_trial"}
    assert os.listdir(home.containers_dir) == os.listdir(home.logs_dir) == []
    assert os.listdir(home.images_dir) == ["demo"]
    return True


def survive(strace: str, runtime: Runtime, mode: str, kind: str, number: int) -> bool:
    """A run with a private copy, killed at that call in each of its processes; did anything die of it?"""
    command = [sys.executable, "-c", WAITING, mode, ("kept", "removed")[number % 2]]
    caller = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert caller.stdout is not None and caller.stdout.readline() == "ready\n"
    died = die_at(strace, caller, Path(runtime.home.path).parent / "trace", MAKING[kind], number)
    assert until(lambda: not any(container.alive for container in runtime.ps()))
    runtime.prune()
    assert nothing_is_left(runtime.home)
    after = runtime.run("demo", ["/bin/sh", "-c", "exit 4"], copy=True, remove=True)
    assert after.exit_code == 4 and nothing_is_left(runtime.home)
    return died


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("forked", kind) for kind in ("lock", "rename", "mkdir", "fork", "remove")]
    + [("launcher", kind) for kind in ("lock", "send", "rename")],
)
def test_a_kill_while_a_private_copy_is_made_or_handed_over_leaves_nothing_behind_a_prune(
    strace: str, runtime: Runtime, chroot_works: None, mode: str, kind: str
) -> None:
    killed = [survive(strace, runtime, mode, kind, number) for number in (1, 2)]
    assert any(killed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", MAKING)
@pytest.mark.parametrize("mode", MODES)
def test_a_kill_at_any_point_of_it_leaves_nothing_behind_a_prune(
    strace: str, runtime: Runtime, chroot_works: None, mode: str, kind: str
) -> None:
    quiet, number = 0, 1
    while quiet < 3:
        quiet = 0 if survive(strace, runtime, mode, kind, number) else quiet + 1
        number += 1 + number // 12  # a copy is a call of the same kind many times


def start(mdock: Mdock, *options: str) -> tuple[str, dict[str, object]]:
    """A container with a private copy that waits for a file ``go``; its id, and its spec."""
    waits = "until test -e go; do sleep 0.02; done"
    done = mdock("run", "-d", "--copy", *options, "demo", "--", "/bin/sh", "-c", waits)
    assert done.returncode == 0, done.stderr
    name = done.stdout.strip()
    eventually(lambda: "supervisor" in extras.load_extra(mdock.home, name, "spec"))
    return name, extras.load_extra(mdock.home, name, "spec")


def kill(spec: dict[str, object], which: str) -> None:
    pid = spec[which]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not lives(pid))


@pytest.mark.parametrize("words", ["rm c1", "prune"])
def test_a_copy_whose_supervisor_was_killed_stays_while_its_program_runs_and_goes_with_its_record(
    mdock: Mdock, words: str
) -> None:
    _, spec = start(mdock, "--rm")
    kill(spec, "supervisor")
    assert mdock("prune").stdout == ""
    assert Path(str(spec["rootfs"]), "bin/sh").exists()
    assert mdock("exec", "c1", "/bin/ls", "/bin/sh").returncode == 0
    Path(str(spec["rootfs"]), "go").touch()
    eventually(lambda: not lives(int(str(spec["pid"]))))
    assert mdock(*words.split()).stdout == "c1\n"
    assert nothing_is_left(mdock.home)


def test_a_supervisor_killed_before_the_spec_is_written_leaves_a_record_that_knows_its_copy(mdock: Mdock) -> None:
    """The spec follows the start; what the container has stands beside its record before."""
    _, spec = start(mdock)
    kill(spec, "supervisor")
    kill(spec, "pid")
    assert until(lambda: state(int(str(spec["pid"]))) is None)
    os.unlink(f"{mdock.home.container_dir('c1')}/spec.json")
    assert [entry["is"] for entry in json.loads(mdock("inspect", "c1").stdout)["resources"]] == ["folder"]
    assert mdock("rm", "c1").returncode == 0
    assert nothing_is_left(mdock.home)


def test_a_container_whose_record_another_program_removed_leaves_nothing_behind_a_prune(mdock: Mdock) -> None:
    _, spec = start(mdock)
    Path(mdock.home.containers_db).write_text("")
    assert mdock("prune").stdout == "" and Path(str(spec["rootfs"])).exists(), "its supervisor lives"
    kill(spec, "supervisor")
    kill(spec, "pid")
    assert mdock("prune").stdout == ""
    assert [name for name in os.listdir(mdock.home.run_dir) if "copy-" in name] == []
    assert not Path(mdock.home.container_dir("c1"), "resources.json").exists()


def test_a_home_by_another_path_spares_and_removes_the_same_copies(mdock: Mdock, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".mdock").symlink_to(mdock.home.path)
    name, spec = start(mdock)
    there = Mdock(other / ".mdock")
    assert there("prune").stdout == "" and Path(str(spec["rootfs"]), "bin/sh").exists()
    assert mdock("kill", name).returncode == 0
    assert there("rm", name).returncode == 0
    assert nothing_is_left(mdock.home)


@pytest.mark.parametrize(("kind", "number"), [("remove", 1), ("remove", 40), ("rename", 1), ("remove", 300)])
@pytest.mark.parametrize("words", ["rm c1", "prune"])
def test_a_removal_killed_half_way_is_done_again(
    strace: str, mdock: Mdock, tmp_path: Path, words: str, kind: str, number: int
) -> None:
    assert mdock("run", "--copy", "demo", "/bin/true").returncode == 0
    more = Path(mdock.home.run_dir, "copy-1-ab")
    (more / "a/b").mkdir(parents=True)
    resources.note(mdock.home, "c1", Folder(name=more.name))
    trace = tmp_path / "trace"
    command = [*killing(strace, trace, MAKING[kind], number), sys.executable, "-m", "udock_lab.cli", *words.split()]
    done = subprocess.run(command, env=mdock.env, capture_output=True, text=True, timeout=60)
    assert "killed by SIGKILL" in trace.read_text(), done
    if containers.read_all(mdock.home)[0]:
        assert mdock(*words.split()).stdout == "c1\n"
    assert mdock("prune").returncode == 0
    assert nothing_is_left(mdock.home)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_build_killed_while_it_keeps_the_image_that_runs_leaves_nothing_in_the_end(
    strace: str, mdock: Mdock, demo_rootfs: Path, tmp_path: Path, number: int
) -> None:
    """It exchanges the folders; its renames are the table, the file of each container and the replaced image.

    The table is as it was if the image was built in this second. Each kind of call is counted by itself.
    """
    waits = "until test -e go; do sleep 0.02; done"
    for _ in "ab":
        assert mdock("run", "-d", "demo", "--", "/bin/sh", "-c", waits).returncode == 0
    built = Path(mdock.home.images_db).stat().st_mtime
    assert until(lambda: int(time.time()) > int(built))
    command = [*killing(strace, tmp_path / "trace", MAKING["rename"], number), sys.executable, "-m", "udock_lab.cli"]
    subprocess.run([*command, "build", "--force", "demo", str(demo_rootfs)], env=mdock.env, capture_output=True)
    assert ("killed by SIGKILL" in (tmp_path / "trace").read_text()) == (number < 5)
    kept = [name for name in os.listdir(mdock.home.run_dir) if name.startswith("kept-")]
    assert mdock("prune").stdout == ""
    assert [name for name in os.listdir(mdock.home.run_dir) if name.startswith("kept-")] == kept, "they run in it"
    for name in ("c1", "c2"):
        assert mdock("kill", name).returncode == 0
    assert mdock("rm", "c1").returncode == 0
    assert mdock("prune").stdout == "c2\n"
    assert mdock("build", "--force", "demo", str(demo_rootfs)).returncode == 0
    assert nothing_is_left(mdock.home)


def test_what_a_newer_version_acquired_keeps_its_record_and_the_hint_leads_out(mdock: Mdock) -> None:
    for _ in "ab":
        assert mdock("run", "--copy", "demo", "/bin/true").returncode == 0
    entry = {"is": "veth", "name": "veth0"}
    extras.save_extra(mdock.home, "c1", "resources", {"schema": 1, "resources": [entry]})
    for words in ("rm c1", "prune", "rm -f c1"):
        done = mdock(*words.split())
        assert done.returncode == 1 and done.stdout == ("c2\n" if words == "prune" else "")
        assert "Container 'c1' is not removed: " in done.stderr and "cannot release: veth." in done.stderr
    assert json.loads(mdock("inspect", "c1").stdout)["resources"] == [entry]
    subprocess.run(done.stderr.partition("Then: ")[2], shell=True, check=True)
    assert mdock("rm", "c1").returncode == 0
    assert mdock("prune").returncode == 0 and nothing_is_left(mdock.home)


def test_a_caller_that_cannot_clear_away_because_the_home_is_locked_leaves_it_to_the_next_prune(
    mdock: Mdock, demo_rootfs: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    subprocess.run(["cp", "-a", demo_rootfs, tree], check=True)
    for number in range(3000):
        (tree / "etc" / f"file{number}").touch()
    assert mdock("build", "--force", "demo", str(tree)).returncode == 0
    command = [sys.executable, "-m", "udock_lab.cli", "run", "--copy", "demo", "/bin/true"]
    caller = subprocess.Popen(command, env=mdock.env, stderr=subprocess.PIPE, text=True)
    eventually(lambda: any(Path(mdock.home.run_dir).glob("copy-*/rootfs")))
    with locked(mdock.home):
        eventually(lambda: bool(descendants(caller.pid)) and sleeps(caller.pid))  # it asks its supervisor
        caller.send_signal(signal.SIGINT)
        caller.communicate(timeout=60)
    assert caller.returncode == 130
    assert len([name for name in os.listdir(mdock.home.run_dir) if name.startswith(("copy-", "resources-"))]) == 2
    assert mdock("prune").returncode == 0
    assert nothing_is_left(mdock.home)


ODD = ["a home", 'it\'s "quoted"', "-rf", "$(touch x)", "\u00fcber\u202egnal", os.fsdecode(b"\xff\xfe"), "a\rb\tc", "*"]


@pytest.mark.parametrize("name", ODD)
def test_in_a_home_of_an_odd_name_copies_are_found_and_go(demo_rootfs: Path, tmp_path: Path, name: str) -> None:
    mdock = Mdock(tmp_path / name / ".mdock")
    Path(tmp_path / name).mkdir()
    assert mdock("build", "demo", str(demo_rootfs)).returncode == 0
    _, spec = start(mdock)
    for which in ("supervisor", "pid"):
        kill(spec, which)
    assert mdock("rm", "c1").stdout == "c1\n"
    assert mdock("run", "--rm", "--copy", "demo", "/bin/true").returncode == 0
    assert nothing_is_left(mdock.home)


def test_an_ordinary_user_leaves_nothing_either(open_place: Path, demo_rootfs: Path) -> None:
    mdock = Mdock(open_place / "home")
    open_place.chmod(0o777)
    tree = open_place / "tree"
    subprocess.run(["cp", "-a", demo_rootfs, tree], check=True)
    subprocess.run(["chown", "-R", str(NOBODY), tree], check=True)
    assert mdock("build", "demo", str(tree), user=NOBODY).returncode == 0
    for options in (["--rm"], []):
        done = mdock("run", "--copy", *options, "demo", "/bin/true", user=NOBODY)
        assert done.returncode == 0, done.stderr
    assert [entry["is"] for entry in resources.shown_of(mdock.home, "c2")] == ["folder"]
    assert mdock("prune", user=NOBODY).stdout == "c2\n"
    assert nothing_is_left(mdock.home)


def test_a_copy_stays_with_its_program_though_its_caller_lost_the_launcher(
    runtime: Runtime, chroot_works: None
) -> None:
    runtime.run("demo", ["/bin/true"], remove=True)
    launcher = runtime.launcher_pid
    assert launcher is not None

    def kill_it(_: str) -> None:
        os.kill(launcher, signal.SIGKILL)

    with pytest.raises(LauncherDied):
        runtime.run("demo", ["/bin/sleep", "60"], copy=True, on_start=kill_it)
    (one,) = runtime.ps()
    spec = extras.load_extra(runtime.home, one.id, "spec")
    assert os.path.isdir(str(spec["rootfs"])) and [*resources.resources_of(runtime.home, one.id)] != []
    assert not one.alive or runtime.exec(one.id, ["/bin/true"]).exit_code == 0
    runtime.rm(one.id, force=True)
    assert nothing_is_left(runtime.home)


@pytest.mark.parametrize("fails", ["rename", "write"])
def test_a_start_that_cannot_be_written_down_leaves_the_copy_to_its_caller_who_removes_it(
    strace: str, mdock: Mdock, tmp_path: Path, fails: str
) -> None:
    """The rename that makes the claim the container's; the line in the table, where the disk is full."""
    assert mdock("run", "--rm", "demo", "/bin/true").returncode == 0
    command = [strace, "-f", "-q", "-o", str(tmp_path / "trace"), "-e", f"inject={fails}:error=ENOSPC"]
    command += ["-P", mdock.home.containers_db] if fails == "write" else []
    command += [sys.executable, "-m", "udock_lab.cli", "run", "--copy", "demo", "/bin/true"]
    done = subprocess.run(command, env=mdock.env, capture_output=True, text=True, timeout=60)
    assert "(INJECTED)" in (tmp_path / "trace").read_text()
    assert done.returncode == 125 and "No space is left" in done.stderr, done.stderr
    assert containers.read_all(mdock.home) == ([], []) and nothing_is_left(mdock.home)


# --- a full disk


@pytest.mark.parametrize("free", [0, 4096, 3 * 4096, 64 * 1024])
def test_a_copy_that_cannot_be_written_down_is_not_made(disk: Disk, demo_rootfs: Path, free: int) -> None:
    mdock = Mdock(disk.path / ".mdock")
    assert mdock("build", "demo", str(demo_rootfs)).returncode == 0
    assert mdock("run", "--rm", "demo", "/bin/true").returncode == 0
    disk.fill(free)
    done = mdock("run", "--copy", "demo", "/bin/true")
    assert done.returncode == 125 and "No space is left" in done.stderr, done.stderr
    assert nothing_is_left(mdock.home)


def test_on_a_full_disk_the_file_stays_as_it_was_and_is_released_all_the_same(disk: Disk) -> None:
    home = Home(disk.path / ".mdock")
    home.create()
    Path(home.run_dir, "copy-1-ab").mkdir()
    resources.note(home, "c1", Folder(name="copy-1-ab"))
    file = Path(home.container_dir("c1"), "resources.json")
    before = file.read_bytes()
    disk.fill(0)
    with pytest.raises(OSError, match="No space"):
        resources.note(home, "c1", Folder(name="copy-2-ab"))
    assert file.read_bytes() == before and os.listdir(file.parent) == ["resources.json"]
    resources.release_all(home, "c1")
    assert os.listdir(home.run_dir) == os.listdir(file.parent) == []
