"""Where the benchmarks play: processes that launch and measure, homes, the folder and the priority.

What is measured is started by :class:`Floor`, a C program, or inside :class:`Kernel`, a real Jupyter kernel; never by
the benchmark itself.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from peers import private_view

from udock_lab import Runtime
from udock_lab.linux.resolve import resolve_in_root

__all__ = [
    "HERE",
    "Floor",
    "Kernel",
    "build_floor",
    "choose_folder",
    "heap_sizes",
    "jupyters_folders",
    "make_home",
    "pss",
    "real_time",
]

HERE = Path(__file__).resolve().parent
PATIENCE = 120.0  # seconds for one answer
PLENTY = 10 << 30  # bytes available from which a heap of 4 GB bothers nobody
PRIORITY = 5  # as `chrt -r 5`


class Floor:
    """The C program: launches ``/bin/true`` in a root, or any command, and says how long it took."""

    def __init__(self, binary: str, root: str, home: str) -> None:
        where_refused = resolve_in_root(root, "/bin/true")  # chroot takes root; the program is the same
        self.process = subprocess.Popen(
            [*private_view(), binary, root, where_refused],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # an ordinary user's mdock warns at each run
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
    """A real Jupyter kernel, in whose only cell ``in_kernel.serve`` answers.

    ``python`` and ``folder``: whose udock_lab it imports, today's or an earlier one.
    """

    def __init__(self, scratch: str, home: str, python: str = sys.executable, folder: str = str(HERE.parent)) -> None:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager()
        specification = self.manager.kernel_spec
        assert specification is not None
        specification.argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # Its warnings (TCP on localhost) and the interrupt that comes with a shutdown would only fill the screen.
        self.manager.start_kernel(env=os.environ | {"MDOCK_HOME": home}, cwd=scratch, stderr=subprocess.DEVNULL)
        self.client = self.manager.blocking_client()
        self.conversation: IO[str] | None = None
        try:
            self._enter(tempfile.mktemp(prefix="kernel-", dir=scratch), folder)
        except BaseException:
            self.close()
            raise

    def _enter(self, path: str, folder: str) -> None:
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(PATIENCE)
            self.client.execute(
                f"import sys; sys.path[:0] = {[str(HERE), folder]!r}; import in_kernel; in_kernel.serve({path!r})"
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


def heap_sizes(quick: bool) -> dict[str, int]:
    """Bytes by name: 1 and 4 GB, in proportion less on a machine that cannot spare it."""
    text = Path("/proc/meminfo").read_text()
    available = int(text.split("MemAvailable:")[1].split()[0]) * 1024
    most = 4 << 30 if available >= PLENTY else min(4 << 30, available // 3)
    if quick:
        most //= 10
    return {"run, heap/4": most // 4, "run, heap": most}


def real_time(wanted: bool) -> str:
    """Take real-time priority, which all that is started inherits (sched(7)); the words for the heading."""
    if not wanted:
        return "usual priority"
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        return "usual priority, since real-time priority is refused here: medians show how busy the machine is"
    return f"real-time priority (chrt -r {PRIORITY})"


def jupyters_folders(scratch: str) -> None:
    """Keep what Jupyter and IPython write in the scratch folder, and nobody's settings out of it."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = f"{scratch}/{name.lower()}"


def choose_folder(wanted: str | None) -> tuple[str, str]:
    """Where the scratch folder goes, and the words for the heading."""
    usual = wanted or tempfile.gettempdir()
    slow = _without_journal(usual)
    if slow and not wanted and os.access("/dev/shm", os.W_OK):
        return "/dev/shm", f"homes on {_file_system('/dev/shm')} ({usual} is an ext4 without a journal, see --help)"
    return usual, f"homes on {_file_system(usual)}" + (", without a journal, see --help" if slow else "")


def _without_journal(folder: str) -> bool:
    """Does the folder lie on an ext4 without a journal?"""
    number = os.stat(folder).st_dev
    device = os.path.basename(os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))
    return Path(f"/proc/fs/ext4/{device}").exists() and not list(Path("/proc/fs/jbd2").glob(f"{device}-*"))


def _file_system(folder: str) -> str:
    """Its type and the folder: ``tmpfs (/dev/shm)`` (proc_pid_mountinfo(5))."""
    number = os.stat(folder).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words, _, source = line.partition(" - ")
        if words.split()[2] == device:
            return f"{source.split()[0]} ({folder})"
    return folder


def pss(pid: int) -> int:
    """Proportional set size in bytes (proc_pid_smaps(5)); 0 for a process that has just ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.split("\nPss:")[1].split()[0]) * 1024
