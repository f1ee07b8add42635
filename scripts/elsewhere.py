"""The suite on other machines than this one, as root and as an ordinary user.

trixie  Debian 13 (Python 3.13) as a tree of files, entered with the kernel of this machine: `make test`, whole
forky   Debian 14 (Python 3.14), the same
vm      Debian 13 with its own kernel, systemd, cgroup v2, AppArmor, Yama and shared mounts, emulated: a chosen part
arm64   the same on an arm64 processor

What is committed is tried, in a clone of its own. Trees are made once and kept in the cache folder; to make one anew,
delete it. Nothing else is left: mounts and processes end with this program, however it ends.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "scripts/machines"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "udock-lab/elsewhere")
USERS = ("root", "learner")
WAY_OUT = (  # to the package registries: what scripts/machines/enter takes along
    "http_proxy,https_proxy,no_proxy,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,SSL_CERT_FILE,REQUESTS_CA_BUNDLE,NODE_EXTRA_CA_CERTS"
)
CLONE = "git -c init.defaultBranch=main -c advice.detachedHead=false clone --quiet"
BOOTED_WITHIN = 1800  # seconds: emulated, on a busy machine

# The launch path, the ends, the sandbox, the doctor, the records: what meets the kernel, small enough for emulation.
PART = (
    "tests/unit/test_launch.py",
    "tests/unit/test_process.py",
    "tests/unit/test_seccomp.py",
    "tests/isolation/test_steps.py",
    "tests/unit/test_elf.py",
    "tests/unit/test_probe.py",
    "tests/unit/test_tables.py",
    "tests/unit/test_containers.py",
    "tests/privileged/test_run.py",
    "tests/privileged/test_lifecycle.py",
    "tests/privileged/test_terminal.py",
    "tests/privileged/test_sandbox_rungs.py",
    "tests/ends/test_true_ends.py",
    "tests/faults/test_elsewhere.py",
)
COMMON = (
    "python3,python3-venv,python3-dev,gcc,libc6-dev,make,git,strace,busybox-static,ca-certificates,procps,util-linux,"
    "mount,passwd,sudo"
)
BOOTING = ",systemd-sysv,dbus,libpam-systemd,dbus-user-session,udev,kmod,uidmap,zstd"


@dataclass(frozen=True)
class Machine:
    """One place to run in. ``needs`` are pairs of a program here and the package that brings it."""

    name: str
    suite: str
    packages: str
    needs: tuple[tuple[str, str], ...] = ()
    architecture: str = "amd64"
    emulator: tuple[str, ...] = ()  # empty: a tree with the kernel of this machine
    console: str = ""


MACHINES = {
    machine.name: machine
    for machine in (
        Machine("trixie", "trixie", f"{COMMON},chromium"),
        Machine("forky", "forky", f"{COMMON},chromium"),
        Machine(
            "vm",
            "trixie",
            f"{COMMON}{BOOTING},linux-image-amd64",
            (("qemu-system-x86_64", "qemu-system-x86"), ("mke2fs", "e2fsprogs")),
            emulator=("qemu-system-x86_64", "-cpu", "max"),
            console="ttyS0",
        ),
        Machine(
            "arm64",
            "trixie",
            f"{COMMON}{BOOTING},linux-image-arm64",
            (
                ("qemu-system-aarch64", "qemu-system-arm"),
                ("qemu-aarch64-static", "qemu-user-static"),
                ("mke2fs", "e2fsprogs"),
            ),
            architecture="arm64",
            emulator=("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"),
            console="ttyAMA0",
        ),
    )
}


@dataclass(frozen=True)
class Outcome:
    """How one run ended. ``counts`` is pytest's last line; ``failed`` are the tests it names."""

    machine: str
    who: str
    ok: bool
    minutes: float
    counts: str
    failed: tuple[str, ...]
    log: Path


class Unable(Exception):
    """This machine cannot do it; the message says why, and what to type."""


# -- what this machine must have


def become_root(arguments: list[str], cache: Path) -> None:
    """Run again as root where this process is not: only root can make trees, which hold files of many owners.

    The clone's source is ours: it is packed before.
    """
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        raise Unable("It needs root, to make file systems and to enter them. Run it with: sudo make elsewhere")
    os.execvp("sudo", ["sudo", "-n", sys.executable, __file__, *arguments, "--cache", str(cache), "--packed"])


def install_what_is_needed(machines: list[Machine]) -> None:
    """Ask apt-get for the programs that are missing; Unable with their names where there is none."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    needs = {("mmdebstrap", "mmdebstrap"), *(need for machine in machines for need in machine.needs)}
    missing = sorted(package for program, package in needs if not shutil.which(program))
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        missing.append("debian-archive-keyring")
    if not missing:
        return
    if shutil.which("apt-get"):
        print(f"Installing {', '.join(missing)} ...", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        if subprocess.run(install, env=environment, capture_output=True).returncode == 0:
            return
    raise Unable(f"It needs programs that are missing here. On Debian and Ubuntu: apt-get install {' '.join(missing)}")


def pack_source(cache: Path) -> None:
    """Pack what is committed into one file that git clones from."""
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    if changes.returncode:
        raise Unable(f"It tries what is committed, and {ROOT} is no git checkout: {changes.stderr.strip()}")
    if changes.stdout:
        print("Changes that are not committed are not tried.")
    subprocess.run([*git, "bundle", "create", "--quiet", str(cache / "source.bundle"), "HEAD"], check=True)


def hold(cache: Path) -> None:
    """Hold a lock until this program ends; raise Unable where another holds it (flock(2)).

    Two at once would change each other's trees.
    """
    lock = os.open(cache / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Unable(
            f"Another one is at work in {cache}. Wait for it, or give this one its own: --cache FOLDER"
        ) from None
    for left in cache.glob("running-*"):  # of one that was killed
        shutil.rmtree(left)


# -- programs that end with this one


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start it with its words in ``log``; however this program ends, so does the command (prctl(2), PDEATHSIG)."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def run(command: list[str], log: Path, seconds: float | None = None) -> int:
    """Run it; return its exit status, 124 when it took longer than that."""
    with running(command, log) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return 124


def apart(command: list[str]) -> list[str]:
    """Wrap the command so that it has mounts and processes of its own, which end with it."""
    return [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        *command,
    ]


def for_processor(machine: Machine, command: list[str]) -> list[str]:
    """Wrap the command so that programs of that processor can run (user-mode emulation through binfmt_misc)."""
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    if machine.architecture == here or Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists():
        return command
    return [sys.executable, str(HERE / "emulating.py"), *command]


# -- trees


def make_tree(machine: Machine, cache: Path) -> Path:
    """Make the machine's files, once: mmdebstrap fetches and configures its packages."""
    tree, log = cache / machine.name, cache / f"{machine.name}.log"
    if tree.exists():
        return tree
    print(f"{machine.name}: making its file system ...", flush=True)
    log.unlink(missing_ok=True)
    unfinished = cache / f"{machine.name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=apt",
        f"--architectures={machine.architecture}",
        f"--include={machine.packages}",
        "--aptopt=Acquire::Check-Valid-Until false",  # a mirror may keep a snapshot
        machine.suite,
        str(unfinished),
        f"deb {debian_mirror()} {machine.suite} main",
    ]
    if run(for_processor(machine, apart(command)), log):
        raise Unable(f"{machine.name} could not be made. The last words of {log}:\n{last_words(log)}")
    if run(enter(machine, unfinished, ["useradd", "--create-home", "--shell", "/bin/bash", "learner"]), log):
        raise Unable(f"{machine.name} has no user. The last words of {log}:\n{last_words(log)}")
    return unfinished.rename(tree)


def debian_mirror() -> str:
    """Return the mirror of Debian that this machine uses (sources.list(5)), else the one that every Debian knows."""
    apt = Path("/etc/apt")
    more = sorted(apt.glob("sources.list.d/*.list")) + sorted(apt.glob("sources.list.d/*.sources"))
    for file in [apt / "sources.list", *more]:
        words = file.read_text().split() if file.exists() else []
        for word in words:
            if re.fullmatch(r"\w+://\S+/debian/?", word):
                return word
    return "http://deb.debian.org/debian"


def enter(machine: Machine, tree: Path, command: list[str]) -> list[str]:
    """Wrap the command so that it runs inside the tree."""
    return for_processor(machine, [str(HERE / "enter"), str(tree), *command])


def last_words(log: Path, lines: int = 8) -> str:
    """Return the last ``lines`` lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


# -- the whole suite, in a tree


def in_a_tree(machine: Machine, who: str, tests: list[str], cache: Path) -> Outcome:
    """Run `make test`, or these tests, in a fresh clone in the user's home."""
    tree = make_tree(machine, cache)
    shutil.copy(cache / "source.bundle", tree / "source.bundle")
    what = f"make .venv/.tested && .venv/bin/python -m pytest -q {shlex.join(tests)}" if tests else "make test"
    clone = f"cd && rm -rf udock-lab && {CLONE} /source.bundle udock-lab && cd udock-lab"
    story = f"{clone} && export CI=true && {what}"
    login = ["su", "--login", f"--whitelist-environment={WAY_OUT}", who]
    command = ["bash", "-c", story] if who == "root" else [*login, "-c", story]
    log = new_log(cache, machine, who, f"{len(tests)} files of tests" if tests else "make test")
    start = time.monotonic()
    code = run(enter(machine, tree, command), log)
    return outcome(machine, who, code, log, start)


def new_log(cache: Path, machine: Machine, who: str, what: str) -> Path:
    """Return a new file where the run writes, and say where it is: a person who waits can follow it."""
    log = cache / f"{machine.name}-{who}.log"
    log.write_bytes(b"")
    print(f"{machine.name}, as {who}: {what} (follow it in {log}) ...", flush=True)
    return log


def outcome(machine: Machine, who: str, code: int, log: Path, start: float) -> Outcome:
    """Read the log's counts and the tests that failed."""
    text = log.read_text(errors="replace")
    counts = re.findall(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s.*$", text, re.M)
    failed = re.findall(r"^(?:FAILED|ERROR|LEFT BEHIND:|SKIPPED IN CI:|FORKED BESIDE THREADS:) .*$", text, re.M)
    minutes = (time.monotonic() - start) / 60
    words = "; ".join(counts) or f"ended with {code} before any test"
    return Outcome(machine.name, who, code == 0, minutes, words, tuple(failed), log)


# -- a part of it, in an emulated machine


def chosen_part(machine: Machine, users: list[str], tests: list[str], cache: Path) -> list[Outcome]:
    """Boot a copy of the tree, once, and run the tests in it as each user."""
    tree = make_tree(machine, cache)
    install_into(machine, tree, cache)
    logs = {who: new_log(cache, machine, who, f"{len(tests)} files of tests, emulated") for who in users}
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="running-", dir=cache) as scratch:
        folder = Path(scratch)
        share = folder / "share"
        share.mkdir()
        shutil.copy(HERE / "suite", share)
        (share / "task").write_text(task(users, tests))
        disk = make_disk(tree, folder)
        boot(machine, tree, disk, share, {share / f"{who}.log": log for who, log in logs.items()}, cache)
        codes = {who: (share / f"{who}.code") for who in users}
        return [
            outcome(machine, who, int(code.read_text()) if code.exists() else 1, logs[who], start)
            for who, code in codes.items()
        ]


def install_into(machine: Machine, tree: Path, cache: Path) -> None:
    """Install the project and what it needs before the boot: an emulated machine has no network."""
    shutil.copy(cache / "source.bundle", tree / "source.bundle")
    story = f"""
        set -eu
        [ -d /opt/udock-lab ] || {CLONE} /source.bundle /opt/udock-lab
        cd /opt/udock-lab
        chown -R root: .
        git fetch --quiet /source.bundle HEAD
        git reset --quiet --hard FETCH_HEAD
        git clean --quiet -xdff --exclude .venv
        make .venv/.tested
    """
    log = cache / f"{machine.name}.log"
    print(f"{machine.name}: installing the project ...", flush=True)
    if run(enter(machine, tree, ["bash", "-c", story]), log):
        raise Unable(
            f"The project could not be installed in {machine.name}. The last words of {log}:\n{last_words(log)}"
        )


def task(users: list[str], tests: list[str]) -> str:
    """Return the script that the machine runs once it is up.

    ptrace_scope=1 is what Ubuntu and Fedora set (Yama).
    """
    lines = ["sysctl --quiet kernel.yama.ptrace_scope=1"]
    for who in users:
        command = shlex.join(["bash", "/share/suite", who, *tests])
        lines.append(f"{command} >/share/{who}.log 2>&1; echo $? >/share/{who}.code")
    return "\n".join([*lines, "sync", ""])


def make_disk(tree: Path, folder: Path) -> Path:
    """Make a fresh file system with the tree's files, so that nothing of a run stays."""
    units = tree / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "suite.service", units)
    wanted = units / "multi-user.target.wants/suite.service"
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("../suite.service")
    (tree / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    disk = folder / "disk"
    with open(disk, "wb") as file:
        file.truncate(8 << 30)
    if run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(disk)], folder / "mke2fs.log"):
        raise Unable(f"No disk could be made of {tree}:\n{last_words(folder / 'mke2fs.log')}")
    return disk


def boot(machine: Machine, tree: Path, disk: Path, share: Path, logs: dict[Path, Path], cache: Path) -> None:
    """Boot the machine and wait until it powers itself off; copy out what its runs say meanwhile."""
    command = [
        *machine.emulator,
        *("-accel", "tcg,thread=multi", "-smp", "2", "-m", "3G", "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(newest(tree, "vmlinuz-*")), "-initrd", str(newest(tree, "initrd.img-*"))),
        *("-append", f"root=/dev/vda rw console={machine.console} quiet systemd.show_status=0"),
        *("-drive", f"file={disk},if=none,id=disk,format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=disk"),
        *("-fsdev", f"local,id=share,path={share},security_model=none"),
        *("-device", "virtio-9p-pci,fsdev=share,mount_tag=share"),
    ]
    console = cache / f"{machine.name}-console.log"
    console.write_bytes(b"")
    deadline = time.monotonic() + BOOTED_WITHIN
    with running(command, console) as process:
        while process.poll() is None and (time.monotonic() < deadline or any(log.exists() for log in logs)):
            time.sleep(2)
            carry_over(logs)
    carry_over(logs)
    if not any(log.exists() for log in logs):
        raise Unable(f"{machine.name} did not come up. The last words of {console}:\n{last_words(console)}")


def carry_over(logs: dict[Path, Path]) -> None:
    """Copy what the guest has written so far to where a person can follow it."""
    for inside, outside in logs.items():
        if inside.exists():
            shutil.copyfile(inside, outside)


def newest(tree: Path, pattern: str) -> Path:
    """Return the tree's newest file of that pattern: its kernel, or its initial RAM disk."""
    return sorted((tree / "boot").glob(pattern))[-1]


# -- the story


def summary(outcomes: list[Outcome]) -> str:
    """Return a line for each run, and below it the tests that failed."""
    lines = [""]
    for one in outcomes:
        lines.append(
            f"{one.machine:7} {one.who:8} {'ok' if one.ok else 'FAILED':7} {one.minutes:4.0f} min  {one.counts}"
        )
        lines += [f"    {name}" for name in one.failed]
        if not one.ok:
            lines.append(f"    All of it: {one.log}")
    return "\n".join(lines)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="elsewhere", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="*", metavar="MACHINE", help=f"of {', '.join(MACHINES)}; default: all")
    parser.add_argument(
        "--cache",
        type=Path,
        default=os.environ.get("ELSEWHERE_CACHE") or CACHE,
        help="where trees, logs and pip's files are kept (default: $ELSEWHERE_CACHE, or %(default)s)",
    )
    parser.add_argument("--as", dest="users", choices=USERS, action="append", help="only as this user")
    parser.add_argument("--tests", action="append", metavar="TEST", help="these instead of the whole suite or the part")
    parser.add_argument("--packed", action="store_true", help=argparse.SUPPRESS)  # root's half: the source is packed
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.machines if name not in MACHINES]
    if unknown:
        parser.error(f"there is no machine {unknown[0]!r}: choose from {', '.join(MACHINES)}")
    chosen.cache = chosen.cache.expanduser().resolve()
    return chosen


def main(arguments: list[str]) -> int:
    """Make what is missing, run, and tell how it ended; 1 if anything failed."""
    chosen = parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    machines = [MACHINES[name] for name in chosen.machines or MACHINES]
    users = chosen.users or list(USERS)
    outcomes: list[Outcome] = []
    try:
        chosen.cache.mkdir(parents=True, exist_ok=True)
        if not chosen.packed:
            pack_source(chosen.cache)
        become_root(arguments, chosen.cache)
        hold(chosen.cache)
        install_what_is_needed(machines)
        for machine in machines:
            if machine.emulator:
                outcomes += chosen_part(machine, users, chosen.tests or list(PART), chosen.cache)
            else:
                outcomes += [in_a_tree(machine, who, chosen.tests or [], chosen.cache) for who in users]
    except Unable as reason:
        print(summary(outcomes))
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(summary(outcomes))
    return not all(one.ok for one in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
