"""What a person is told when a program does not start: the true reason, and words that can be typed as they stand."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rungs import without_chroot
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import children

MDOCK = [sys.executable, "-m", "udock_lab.cli"]
OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


def mdock(*words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MDOCK, *words], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, errors="replace"
    )


def write(runtime: Runtime, inside: str, content: bytes, mode: int = 0o755) -> str:
    place = Path(runtime.home.image_rootfs("demo")) / inside.lstrip("/")
    place.write_bytes(content)
    place.chmod(mode)
    return inside


# -- a file system that is mounted noexec


def on_noexec(place: Path, script: str) -> str:
    """What a shell says in a mount namespace in which ``place`` is a tmpfs mounted noexec, with the image in it."""
    place.mkdir(exist_ok=True)
    lines = [
        f"mount -t tmpfs -o noexec none {shlex.quote(str(place))} || exit 77",
        f'mdock() {{ {shlex.join(MDOCK)} "$@"; }}',
        f"export MDOCK_HOME={shlex.quote(str(place / 'home'))}",
        "mdock demo >/dev/null",
        script,
    ]
    done = subprocess.run(
        [*OWN_MOUNTS, "sh", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 77:
        pytest.skip("needs privilege: mounts are refused here")
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "mdock run demo true",
        "mdock run demo /bin/sh",
        "mdock run -d demo true",
        "cd \"$MDOCK_HOME/images/demo/rootfs\"; echo '#!/bin/sh' > s; install -m 755 s t; mdock run demo /t",
        "cd \"$MDOCK_HOME/images/demo/rootfs\"; echo '#!/bin/sh' > s; mdock run demo /s",  # not even marked executable
    ],
)
def test_noexec_mount_is_named_before_any_mode(tmp_path: Path, script: str) -> None:
    place = tmp_path / "no exec"
    said = on_noexec(place, f"{script}; echo code $?")
    assert "code 126" in said and f"mounted noexec (at {place})" in said
    assert "chmod" not in said and "not executable" not in said and "MDOCK_HOME=" in said


def test_directory_on_a_noexec_mount_is_still_called_a_directory(tmp_path: Path) -> None:
    assert "/bin is a directory" in on_noexec(tmp_path / "noexec", "mdock run demo /bin")


# -- exec is answered with exec


@pytest.fixture
def started(runtime: Runtime, chroot_works: None) -> str:
    return runtime.run("demo", ["/bin/sleep", "60"], detach=True).id


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nosuch"], 127),
        (["/no/such/program"], 127),
        (["echo hello"], 127),
        (["/bin"], 126),
        (["/etc/passwd"], 126),
        (["/plain"], 126),
        (["/text"], 126),
        (["--", "-x"], 127),
        (["-w", "/nosuch", "true"], 125),
        (["-w", "/etc/passwd", "true"], 125),
    ],
)
def test_hint_of_a_failed_exec_leads_back_into_the_container(
    runtime: Runtime, started: str, words: list[str], code: int
) -> None:
    write(runtime, "/plain", b"#!/bin/sh\n", 0o644)
    write(runtime, "/text", b"echo hello\n")
    options = words[:2] if words[0] == "-w" else []
    done = mdock("exec", *options, started, *words[len(options) :])
    assert done.returncode == code
    assert "mdock run" not in done.stderr and f"mdock exec {started}" in done.stderr.replace("exec -x ...", "exec")


@pytest.mark.usefixtures("chroot_works")
def test_what_the_hint_says_can_be_typed_and_helps(runtime: Runtime) -> None:
    write(runtime, "/my tool", b"#!/bin/sh\necho made\n", 0o644)
    started = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    told = mdock("exec", started, "/my tool").stderr
    command = re.search(rf"mdock (exec {started} chmod .*)", told)
    assert command, told
    assert mdock(*shlex.split(command[1])).returncode == 0
    assert mdock("exec", started, "/my tool").stdout == "made\n"


def test_what_the_hint_says_helps_without_chroot_too(runtime: Runtime) -> None:
    write(runtime, "/my tool", b"#!/bin/sh\necho made\n", 0o644)
    without = without_chroot(runtime)

    def told(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*without, *MDOCK, *words], capture_output=True, text=True, timeout=60, check=False)

    started = told("run", "-d", "demo", "sleep", "60").stdout.strip()
    command = re.search(r"Mend it here: (chmod .*)", told("exec", started, "/my tool").stderr)
    assert command
    subprocess.run(shlex.split(command[1]), check=True)
    assert told("exec", started, "/my tool").stdout == "made\n"


def test_exec_into_what_ends_meanwhile_says_so_and_speaks_of_no_limit(runtime: Runtime) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs privilege: strace is missing")
    container = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    slow = ["strace", "-f", "-o", "/dev/null", "-e", "trace=chdir", "-e", "inject=chdir:delay_enter=6s"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*slow, *MDOCK, "exec", container, "/bin/true"], text=True, **pipes) as done:
        until(lambda: done.poll() is not None or any(map(children, children(done.pid))))  # its child is on its way
        runtime.kill(container)
        _, said = done.communicate(timeout=60)
    if "ptrace" in said:
        pytest.skip("needs privilege: ptrace is refused here")
    assert f"{container} ended before exec could start /bin/true" in said
    assert "limit" not in said and done.returncode != 0


# -- #! lines with Windows line ends


@pytest.mark.parametrize(
    "line", ["#!/bin/sh", "#! /bin/sh", "#!/bin/sh ", "#!/bin/sh -e", "#!/usr/bin/env sh", "#!/usr/bin/env -S sh -e"]
)
@pytest.mark.parametrize("how", ["run", "exec"])
def test_first_line_that_ends_in_a_carriage_return_is_named(runtime: Runtime, line: str, how: str) -> None:
    rootfs = Path(runtime.home.image_rootfs("demo"))
    if "env" in line and not (rootfs / "usr/bin/env").exists():
        (rootfs / "usr/bin").mkdir(parents=True, exist_ok=True)
        (rootfs / "usr/bin/env").symlink_to("/bin/busybox")
    write(runtime, "/tool", line.encode() + b"\r\necho hello\r\n")
    where = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id if how == "exec" else "demo"
    done = mdock(how, where, "/tool")
    assert done.returncode != 0 and "ends in a carriage return (Windows line ends)" in done.stderr, done.stderr
    assert "sed " in done.stderr


def test_the_hint_about_a_file_of_the_image_mends_it_when_it_is_typed(runtime: Runtime, tmp_path: Path) -> None:
    source = tmp_path / "my root"
    shutil.copytree(runtime.home.image_rootfs("demo"), source, symlinks=True, ignore=shutil.ignore_patterns("dev"))
    (source / "tool").write_bytes(b"#!/bin/sh\r\nexit 6\n")
    for expected in (127, 126):  # its line ends, then its mode
        (source / "tool").chmod(0o755 if expected == 127 else 0o644)
        assert mdock("build", "--force", "mine", str(source)).returncode == 0
        done = mdock("run", "mine", "/tool")
        typed = re.search(r"In the directory you build from: (.*?)   then: mdock (.*)", done.stderr)
        assert typed and done.returncode == expected, done.stderr
        line = f"{typed[1]} && {shlex.join(MDOCK)} {typed[2]}"
        subprocess.run(line, shell=True, cwd=source, check=True, capture_output=True, timeout=60)
        assert mdock("run", "mine", "/tool").returncode == 6


@pytest.mark.parametrize("isolation", ["as it comes", "chdir only"])
def test_a_folder_that_is_run_is_called_one_with_and_without_chroot(runtime: Runtime, isolation: str) -> None:
    command = [*MDOCK, "run", "demo", "/etc"]
    if isolation == "chdir only":
        command = [*without_chroot(runtime), *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, "/etc is a directory, not a program." in done.stderr) == (126, True), done.stderr
    assert "errno=EACCES" in Path(runtime.home.log).read_text()


def test_script_that_fails_by_itself_is_not_blamed_on_line_ends(runtime: Runtime) -> None:
    write(runtime, "/tool", b"#!/bin/sh -e\nfalse\n")
    done = mdock("run", "demo", "/tool")
    assert (done.returncode, "carriage" in done.stderr) == (1, False)
    write(runtime, "/tool", b"#!/bin/sh -e\r\ntrue\n")
    assert "carriage" in mdock("run", "demo", "/tool").stderr


# -- a full disk


@pytest.mark.parametrize("words", ["demo", "build other /etc", "run --copy demo true", "run demo true", "rootfs $D/r"])
def test_what_the_hint_names_on_a_full_disk_is_there(tmp_path: Path, words: str) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    first = "" if words == "demo" else "mdock demo >/dev/null"
    script = f"""
        mount -t tmpfs -o size=6m none {place} || exit 77
        mdock() {{ {shlex.join(MDOCK)} "$@"; }}
        export D={place} MDOCK_HOME={place}/a/home
        {first}
        cat /dev/zero > {place}/filler 2>/dev/null
        mdock {words} && exit 78
        mdock {words} 2>&1 | grep -o 'df -h [^;)]*' | sh || exit 79
    """
    done = subprocess.run(
        [*OWN_MOUNTS, "sh", "-c", script], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    if done.returncode == 77:
        pytest.skip("needs privilege: mounts are refused here")
    assert "No space is left" in done.stderr, done.stderr
    assert done.returncode == 0 and str(place) in done.stdout, (done.stdout, done.stderr)
