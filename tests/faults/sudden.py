"""Death at a system call: strace injects SIGKILL at the entry of the n-th call of a kind, in whoever makes it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from udock_lab.linux.process import descendants, state

CALLS = {
    "write": "write",
    "pwrite": "pwrite64",
    "rename": "rename,renameat,renameat2",
    "fork": "clone,clone3,fork,vfork",
    "lock": "flock",
    "copy": "copy_file_range,fallocate",
    "send": "sendto,sendmsg",
    "receive": "recvmsg,recvfrom",
    "open": "openat",
    "close": "close",
    "exec": "execve",
    "exit": "exit_group",
    "end": "wait4,waitid,kill,pidfd_send_signal",
}


def die_at(strace: str, caller: subprocess.Popen[str], trace: Path, calls: str, number: int) -> bool:
    """Its next run, with SIGKILL at that one of the calls of each process alike; did anything die of it?

    All of them have ended then.
    """
    pids = [pid for pid in (caller.pid, *descendants(caller.pid)) if state(pid) not in (None, "Z")]
    command = [*killing(strace, trace, calls, number), *(f"-p{pid}" for pid in pids)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not all(is_traced(pid) for pid in pids):
        assert time.monotonic() < deadline, "strace does not attach"
        time.sleep(0.002)
    caller.communicate("go\n", timeout=60)
    tracer.wait(60)
    return "killed by SIGKILL" in trace.read_text(errors="replace")


def killing(strace: str, trace: Path, calls: str, number: int) -> list[str]:
    """The beginning of a command that has its processes killed.

    No --seccomp-bpf: strace 6.1 then counts no further than the first call.
    """
    return [
        strace, "-f", "-q", "-o", str(trace), "-e", f"trace={calls}",
        "-e", f"inject={calls}:signal=SIGKILL:when={number}",
    ]  # fmt: skip


def is_traced(pid: int) -> bool:
    """It is, or it died of the very first call, and perhaps its parent, which died so too, has not reaped it."""
    try:
        return state(pid) in (None, "Z") or "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
