"""Run a command under strace and read what it says: typed events instead of lines (strace(1)).

strace writes one line an event. A call that another process interrupts comes in two halves, ``<unfinished ...>``
and ``<... name resumed>``; the parser joins them again, process by process.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from udock_lab.linux.pidnumbers import FORKS, PidNumbers
from udock_lab.model import ExitStatus, SystemCall
from udock_lab.model.value import Value, replace

__all__ = [
    "PROCESS_CALLS",
    "STEP_CALLS",
    "TEACHING_CALLS",
    "ProcessEnded",
    "SignalCame",
    "TraceEvent",
    "TraceParser",
    "command",
]

# What says who forked whom, who became what and who waited: enough to explain how a run went.
PROCESS_CALLS = (
    "clone", "clone3", "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid",
)  # fmt: skip

# What a lesson on containers talks about.
TEACHING_CALLS = (
    *PROCESS_CALLS,
    "chroot", "chdir", "fchdir", "kill", "tkill", "tgkill", "pidfd_send_signal", "setsid", "setpgid",
    "open", "openat", "creat", "close_range", "pipe", "pipe2", "dup", "dup2", "dup3", "flock", "ftruncate", "fsync",
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir",
    "mkdirat", "setuid", "setgid", "setresuid", "setresgid", "setgroups", "unshare", "setns", "mount", "umount2",
    "pivot_root", "sethostname", "prlimit64", "setrlimit",
)  # fmt: skip

# What moves bytes and changes descriptors besides: who steps through a program wants to see it.
STEP_CALLS = (
    "read", "write", "pread64", "pwrite64", "readv", "writev", "lseek", "close", "fcntl", "ioctl", "openat2",
    "socket", "socketpair", "accept", "accept4", "memfd_create", "eventfd2", "epoll_create1", "pidfd_open",
    "sendfile", "copy_file_range", "signalfd4", "timerfd_create", "inotify_init1",
)  # fmt: skip

STRING_LENGTH = 200  # characters of a string argument that strace prints


class ProcessEnded(Value):
    """A process is gone; ``time`` in nanoseconds since the epoch."""

    pid: int
    time: int
    status: ExitStatus


class SignalCame(Value):
    """A signal was delivered, or stopped the process (``stops``)."""

    pid: int
    time: int
    name: str
    stops: bool = False


TraceEvent = SystemCall | ProcessEnded | SignalCame

_LINE = re.compile(r"(\d+)\s+(\d+)\.(\d{9}) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (.*?)(?: <(\d+)\.(\d+)>)?")
_BEGUN = re.compile(r"(\w+)\((.*?)\s*<(?:unfinished|detached) \.\.\.>(?:\)\s+= \?)?")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>\s?(.*)")
_EXITED = re.compile(r"\+\+\+ exited with (\d+) \+\+\+")
_KILLED = re.compile(r"\+\+\+ killed by (\w+)( \(core dumped\))? \+\+\+")
_SIGNAL = re.compile(r"--- (stopped by )?(\w+)(?: \{.*\})? ---")
_ERROR = re.compile(r"(?:-1|\?) (E\w+)")


def command(strace: str, output: int, calls: Sequence[str], argv: Sequence[str], inject: str = "") -> list[str]:
    """Return the words that run ``argv`` traced, events going to the inherited descriptor ``output``.

    Calls that this machine's architecture lacks are passed over. A seccomp filter keeps the price of all
    other calls low (``--seccomp-bpf``); with ``inject`` (as strace's own ``--inject``, for instance
    ``rename:signal=SIGKILL:when=2``) it is left out, since only the first injection would happen under it.
    """
    filtered = [f"--inject={inject}"] if inject else ["--seccomp-bpf"]
    return [
        strace, "--follow-forks", *filtered, "--quiet=attach,personality",
        "--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns", f"--string-limit={STRING_LENGTH}",
        "--trace=" + ",".join(f"?{name}" for name in calls), f"--output=/proc/self/fd/{output}", "--", *argv,
    ]  # fmt: skip


class TraceParser:
    """Feed it what strace writes, in pieces of any size; it returns the events that are complete.

    A line that it does not understand is counted in ``unknown`` and passed over.
    """

    def __init__(self, pids: PidNumbers | None = None) -> None:
        self.unknown = 0
        self._rest = b""
        self._begun: dict[tuple[int, str], tuple[int, str]] = {}
        self._pids = pids or PidNumbers()
        self._queue: list[TraceEvent] = []

    def feed(self, data: bytes) -> list[TraceEvent]:
        """Return the events of every line that ends in ``data``, in the order in which strace saw them end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = self.line(line.decode("utf-8", "replace")) if line else None
            if event is not None:
                self._queue.append(event)
        return self._known()

    def late(self) -> list[TraceEvent]:
        """Return, at the end, the events that waited until it was known what a fork has made."""
        for event in self._queue:
            if (made := _made(event)) is not None:
                self._pids.knows(event.pid, made)
        return self._known(at_the_end=True)

    def _known(self, *, at_the_end: bool = False) -> list[TraceEvent]:
        """Take what can be told from the queue, in our numbers; behind a fork of nobody knows whom, all waits."""
        events: list[TraceEvent] = []
        for event in self._queue:
            made = _made(event)
            if made and not self._pids.knows(event.pid, made, at_the_end=at_the_end) and not at_the_end:
                break
            events.append(self._in_our_numbers(event) if isinstance(event, SystemCall) else event)
        del self._queue[: len(events)]
        return events

    def unfinished(self) -> list[SystemCall]:
        """Return calls that had begun and never came back, for instance because their process was killed in them."""
        found = [
            SystemCall(pid=pid, name=name, arguments=arguments.rstrip(", "), result="?", start=start, end=start)
            for (pid, name), (start, arguments) in self._begun.items()
        ]
        self._begun.clear()
        return sorted(map(self._in_our_numbers, found), key=lambda call: call.start)

    def line(self, text: str) -> TraceEvent | None:
        """Return the event of one line, its pids as strace wrote them, or None for the first half of a call."""
        found = _LINE.fullmatch(text)
        if found is None:
            self.unknown += 1
            return None
        pid, time, body = int(found[1]), int(found[2] + found[3]), found[4]
        self._pids.meet(pid)
        if body.startswith("+++"):
            return self._ended(pid, time, body)
        if body.startswith("---"):
            return self._signal(pid, time, body)
        return self._call(pid, time, body)

    def _ended(self, pid: int, time: int, body: str) -> ProcessEnded | None:
        if exited := _EXITED.fullmatch(body):
            return ProcessEnded(pid=pid, time=time, status=ExitStatus(raw=int(exited[1]) << 8))
        if killed := _KILLED.fullmatch(body):
            raw = _signal_number(killed[1]) | (0x80 if killed[2] else 0)
            return ProcessEnded(pid=pid, time=time, status=ExitStatus(raw=raw))
        return None  # "superseded by execve": another thread of the same process goes on under this pid

    def _signal(self, pid: int, time: int, body: str) -> SignalCame | None:
        found = _SIGNAL.fullmatch(body)
        if found is None:
            self.unknown += 1
            return None
        return SignalCame(pid=pid, time=time, name=found[2], stops=bool(found[1]))

    def _call(self, pid: int, time: int, body: str) -> SystemCall | None:
        start = time
        if resumed := _RESUMED.fullmatch(body):
            start, before = self._begun.pop((pid, resumed[1]), (time, ""))
            body = f"{resumed[1]}({before}{' ' if before.endswith(',') else ''}{resumed[2]}"
        elif begun := _BEGUN.fullmatch(body):
            self._begun[pid, begun[1]] = (time, begun[2])
            return None
        found = _CALL.fullmatch(body)
        if found is None:
            self.unknown += 1
            return None
        name, arguments, result, seconds, fraction = found.groups()
        took = int(seconds) * 10**9 + int(fraction.ljust(9, "0")) if seconds else time - start
        error = _ERROR.match(result)
        return SystemCall(
            pid=pid,
            name=name,
            arguments=arguments,
            result=result,
            errno=error[1] if error else "",
            start=start,
            end=start + took,
        )

    def _in_our_numbers(self, call: SystemCall) -> SystemCall:
        """Return a call with the pids of a pid namespace as we see them."""
        given, result = self._pids.in_ours(call.pid, call.name, call.arguments, call.result)
        if (given, result) == (call.arguments, call.result):
            return call
        return replace(call, arguments=given, result=result)


def _made(event: TraceEvent) -> int | None:
    """Return the number of the process that a fork has made, None for what is no fork."""
    return event.value if isinstance(event, SystemCall) and event.name in FORKS and event.result else None


def _signal_number(name: str) -> int:
    """Return 9 for SIGKILL; a real-time signal is written SIGRT_n, counted from the first one (signal(7))."""
    if name.startswith("SIGRT_"):
        return 32 + int(name.removeprefix("SIGRT_"))
    return int(getattr(signal, name, 0))
