"""What one launch of ``/bin/true`` costs, in one interleaved run.

    python benchmarks/launch.py [--runs N] [--quick] [--dir DIR]

Needs root (chroot), a C compiler and ipykernel. ``floor.c`` does vfork, chroot, chdir, execve, wait: the
least a launch can cost. Against it stand ``Runtime.run`` and ``%mdock run`` inside a real Jupyter kernel
(records, log and steps all on), the same with a big heap and with long tables, ``mdock`` as a process, and
other tools in the same root file system (``scripts/install-bench-peers`` installs them from Debian).

Every round launches each of them once, in an order shuffled anew, with a short pause before each so that
nobody pays for what the one before leaves to do. Tools are started by the C floor too, never by Python. After
the rounds come batches of launches without a pause (launches a second) and the launcher's memory.
What it makes lies in one temporary folder and is gone afterwards, like every process it started. The folder is
in /dev/shm where the usual place is an ext4 without a journal, as some cloud machines have it: there a new file
walks past every inode deleted in the last minutes (``recently_deleted`` in fs/ext4/ialloc.c; 5 µs become 900),
and what would be measured is how many files the machine happened to delete. ``--dir`` decides otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from peers import find_peers, private_view  # noqa: E402, I001
from report import Measured, table, verdicts  # noqa: E402
from udock_lab import Runtime  # noqa: E402

PATIENCE = 60.0  # seconds for one answer
PAUSE = 0.002  # seconds before each launch
BATCH = 20  # launches in a batch without a pause
PLENTY = 10 << 30  # bytes available from which a heap of 4 GB bothers nobody
HEAP = 4 << 30

Launch = Callable[[], int]


class Floor:
    """The C program: launches ``/bin/true`` in a root, or any command, and says how long it took."""

    def __init__(self, binary: str, root: str, home: str) -> None:
        self.process = subprocess.Popen(
            [*private_view(), binary, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"MDOCK_HOME": home},
            start_new_session=True,
            bufsize=0,
        )

    def launch(self, *command: str, count: int = 1) -> int:
        """Nanoseconds for ``count`` launches one after another; RuntimeError if one did not end with 0."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write("\t".join([str(count), *command]).encode() + b"\n")
        if not select.select([stdout], [], [], PATIENCE)[0]:
            raise RuntimeError(f"{' '.join(command) or 'the floor'}: no end after {PATIENCE:.0f} s")
        taken, status = stdout.readline().split() or (b"0", b"-1")
        if status != b"0":
            raise RuntimeError(f"{' '.join(command) or 'the floor'}: wait status {status.decode()}")
        return int(taken)

    def close(self) -> None:
        """End it, and whatever it still waits for."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


class Kernel:
    """A real Jupyter kernel, in whose only cell ``in_kernel.serve`` answers."""

    def __init__(self, scratch: str, home: str) -> None:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager()
        # Its warnings (TCP on localhost) and the interrupt that comes with a shutdown would only fill the screen.
        self.manager.start_kernel(env=os.environ | {"MDOCK_HOME": home}, cwd=scratch, stderr=subprocess.DEVNULL)
        self.client = self.manager.blocking_client()
        self.conversation: IO[str] | None = None
        try:
            self._enter(f"{scratch}/kernel-of-{os.path.basename(home)}")
        except BaseException:
            self.close()
            raise

    def _enter(self, path: str) -> None:
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(PATIENCE)
            self.client.execute(
                f"import sys; sys.path[:0] = {sys.path[:2]!r}; import in_kernel; in_kernel.serve({path!r})"
            )
            connection, _ = listener.accept()
        connection.settimeout(PATIENCE)
        self.conversation = connection.makefile("rw")
        connection.close()  # the file keeps it open

    def ask(self, what: str, *arguments: object) -> int:
        """One request of ``in_kernel``; its number, or RuntimeError with its words."""
        assert self.conversation
        self.conversation.write(json.dumps([what, *arguments]) + "\n")
        self.conversation.flush()
        answer: Any = json.loads(self.conversation.readline() or '"the kernel died"')
        if not isinstance(answer, int):
            raise RuntimeError(f"{what} in the kernel: {answer}")
        return answer

    def close(self) -> None:
        """Leave the cell, shut the kernel down; its launcher ends with it."""
        if self.conversation:
            self.conversation.close()
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def build_floor(scratch: str) -> str:
    """Compile floor.c; SystemExit with what to install where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("No C compiler for benchmarks/floor.c. Install one: apt-get install gcc libc6-dev")
    binary = f"{scratch}/floor"
    subprocess.run([compiler, "-O2", "-Wall", "-o", binary, str(HERE / "floor.c")], check=True)
    return binary


def make_home(path: str, records: int) -> str:
    """A home with the image ``demo`` and so many ended containers, with everything a real one leaves."""
    runtime = Runtime(path)
    runtime.demo()
    stamp = "2026-01-01T12:00:00"
    with open(runtime.home.containers_db, "w") as file:
        for number in range(1, records + 1):
            file.write(f"c{number}|{number + 1000}|demo|exited|{stamp}|{stamp}|0\n")
            folder = Path(runtime.home.container_dir(f"c{number}"))
            folder.mkdir()
            (folder / "spec.json").write_text('{"argv": ["/bin/true"]}')
            Path(runtime.home.container_log(f"c{number}")).touch()
    return path


def mdock_command() -> list[str]:
    """The ``mdock`` beside this Python where it is installed."""
    script = Path(sys.executable).parent / "mdock"
    return [str(script)] if script.exists() else [sys.executable, "-m", "udock_lab"]


def heap_size(quick: bool) -> int:
    """4 GB, less on a machine that cannot spare it."""
    text = Path("/proc/meminfo").read_text()
    available = int(text.split("MemAvailable:")[1].split()[0]) * 1024
    size = HEAP if available >= PLENTY else min(HEAP, available * 2 // 5)
    return size // 4 if quick else size


def without_journal(folder: str) -> bool:
    """Does the folder lie on an ext4 without a journal?"""
    number = os.stat(folder).st_dev
    device = os.path.basename(os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))
    return Path(f"/proc/fs/ext4/{device}").exists() and not list(Path("/proc/fs/jbd2").glob(f"{device}-*"))


def choose_folder(wanted: str | None) -> tuple[str, str]:
    """Where the scratch folder goes, and the words for the heading."""
    usual = wanted or tempfile.gettempdir()
    reason = "ext4 without a journal" if without_journal(usual) else ""
    if reason and not wanted and os.access("/dev/shm", os.W_OK):
        return "/dev/shm", f"homes in /dev/shm ({usual} is {reason}, see --help)"
    return usual, f"homes in {usual}" + (f" ({reason}, see --help)" if reason else "")


def pss(pid: int) -> int:
    """Proportional set size in bytes (proc_pid_smaps(5))."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) * 1024


def contenders(
    floor: Floor, kernels: dict[str, Kernel], homes: dict[str, str], peers: dict[str, list[str]]
) -> dict[str, Launch]:
    """Everything that is launched once a round. The names are those the report looks for.

    The heap is judged beside a twin, a kernel that is called as seldom: the main one's caches are warmer.
    """
    kernel, big, twin = kernels["main"], kernels["big"], kernels["twin"]
    mdock, magic = mdock_command(), "%mdock run demo /bin/true"
    found: dict[str, Launch] = {
        "floor": floor.launch,
        "run": lambda: kernel.ask("run", homes["main"]),
        "magic": lambda: kernel.ask("cell", magic, homes["main"]),
        "  an empty cell": lambda: kernel.ask("cell", "pass", homes["main"]),
        "  a cell that shows 1": lambda: kernel.ask("cell", "1", homes["main"]),
        "magic, 10,000 records": lambda: kernel.ask("cell", magic, homes["10000"]),
        "run, big heap": lambda: big.ask("run", homes["big"]),
        "run, its twin without": lambda: twin.ask("run", homes["twin"]),
        "run, 1,000 records": lambda: kernel.ask("run", homes["1000"]),
        "run, 10,000 records": lambda: kernel.ask("run", homes["10000"]),
        "  after another writer": lambda: kernel.ask("run_after_other_writer", homes["10000b"]),
        "mdock run process": lambda: floor.launch(*mdock, "run", "demo", "/bin/true"),
        "mdock --help process": lambda: floor.launch(*mdock, "--help"),
    }
    for name, command in peers.items():
        found[name] = lambda command=command: floor.launch(*command)  # type: ignore[misc]
    return found


def rounds(launches: dict[str, Launch], warmup: int, runs: int) -> dict[str, list[int]]:
    """Launch each once a round, in an order of its own; the times of the rounds after the warm-up."""
    times: dict[str, list[int]] = {name: [] for name in launches}
    order, shuffle = list(launches), random.Random(1).shuffle
    for number in range(-warmup, runs):
        shuffle(order)
        for name in order:
            time.sleep(PAUSE)
            taken = launches[name]()
            if number >= 0:
                times[name].append(taken)
        if sys.stderr.isatty():
            where = "warming up" if number < 0 else f"round {number + 1} of {runs}"
            print(f"\r{where} ", end="", file=sys.stderr)
    return times


def rates(floor: Floor, kernel: Kernel, home: str, peers: dict[str, list[str]], runs: int) -> dict[str, float]:
    """Launches a second, one after another without a pause: medians of batches that take turns."""
    loops: dict[str, Launch] = {"run": lambda: kernel.ask("run", home, BATCH)}
    if "bubblewrap" in peers:
        loops["bubblewrap"] = lambda: floor.launch(*peers["bubblewrap"], count=BATCH)
    batches: dict[str, list[int]] = {name: [] for name in loops}
    for _ in range(max(3, runs // BATCH)):
        for name, loop in loops.items():
            batches[name].append(loop())
    return {name: BATCH * 1e9 / sorted(times)[len(times) // 2] for name, times in batches.items()}


def measure(scratch: str, runs: int, warmup: int, quick: bool) -> Measured:
    """Set everything up, run the rounds, take it all down."""
    binary = build_floor(scratch)
    sizes = {"main": 1, "big": 1, "twin": 1, "process": 1, "1000": 1_000, "10000": 10_000, "10000b": 10_000}
    homes = {name: make_home(f"{scratch}/home-{name}", records) for name, records in sizes.items()}
    root = f"{homes['main']}/images/demo/rootfs"
    peers, left_out = find_peers(root, scratch)
    with ExitStack() as stack:
        floor = stack.enter_context(closing(Floor(binary, root, homes["process"])))
        kernels = {name: stack.enter_context(closing(Kernel(scratch, homes[name]))) for name in ("main", "big", "twin")}
        kernel = kernels["main"]
        kernel.ask("cell", "%load_ext udock_lab", homes["main"])
        measured = Measured({}, kernels["big"].ask("grow", heap_size(quick)), left_out)
        measured.times = rounds(contenders(floor, kernels, homes, peers), warmup, runs)
        measured.per_second = rates(floor, kernel, homes["main"], peers, runs)
        time.sleep(0.1)  # the next spare is being forked
        launcher = kernel.ask("launcher")
        measured.launcher_pss = pss(launcher)
        spares = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
        measured.spare_pss = sum(pss(int(pid)) for pid in spares)
    return measured


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--runs", type=int, default=0, help="rounds that count (default 200)")
    parser.add_argument("--quick", action="store_true", help="30 rounds, a quarter of the heap")
    parser.add_argument("--dir", help="where the homes are made (default: see above)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("The benchmark measures chroot and needs root: sudo make bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave through the clean-up
    runs = options.runs or (30 if options.quick else 200)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's usual mdock compiles itself anew each time
    os.environ["PYTHONPATH"] = str(HERE.parent)
    folder, where = choose_folder(options.dir)
    with tempfile.TemporaryDirectory(prefix="mdock-bench-", dir=folder) as scratch:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            os.environ[name] = f"{scratch}/{name.lower()}"
        measured = measure(scratch, runs, 5 if options.quick else 20, options.quick)
    print(f"\n/bin/true in one root file system, {runs} interleaved rounds, {where}\n")
    print(table(measured), verdicts(measured), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
