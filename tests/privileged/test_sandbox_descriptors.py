"""The tables that the calls tell of are those that the kernel has: compared with /proc/PID/fd of real processes."""

from __future__ import annotations

import ast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from udock_lab import sandbox
from udock_lab.model.descriptors import OpenFiles, after_call, at_the_start, in_their_order
from udock_lab.model.sandboxes import SandboxResult

# Each operation picks what it works on by a number, among what is there then.
PROGRAM = """
import fcntl, os
held = []
def pick(n):
    return held[n % len(held)]
def look():
    found = {}
    for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
        try:
            to = os.readlink(f"/proc/self/fd/{fd}")
            info = dict(line.split(":\\t", 1) for line in open(f"/proc/self/fdinfo/{fd}").read().splitlines() if ":\\t" in line)
        except OSError:
            continue
        if fd != 200:
            found[fd] = (to.split("/")[-1], int(info["pos"]) if to.endswith((".txt", ".txt (deleted)")) else None,
                         bool(int(info["flags"], 8) & 0o2000000))
    return found
def say(who):
    os.write(1, (repr((who, os.getpid(), look())) + "\\n").encode())
def do(op, n, m):
    if op not in ("open", "append", "pipe") and not held:
        return
    try:
        if op == "open":
            held.append(os.open(f"{n % 3}.txt", os.O_RDWR | os.O_CREAT | (os.O_TRUNC if m % 5 == 0 else 0)))
        elif op == "append":
            held.append(os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        elif op == "dup":
            held.append(os.dup(pick(n)))
        elif op == "dup2":
            held.append(os.dup2(pick(n), 10 + m % 4, inheritable=bool(m % 2)))
        elif op == "above":
            held.append(fcntl.fcntl(pick(n), fcntl.F_DUPFD, 20))
        elif op == "pipe":
            held.extend(os.pipe())
        elif op == "close":
            fd = pick(n)
            held[:] = [one for one in held if one != fd]
            os.close(fd)
        elif op == "range":
            os.closerange(12, 12 + m % 10)
        elif op == "write":
            os.write(pick(n), b"x" * (m % 9))
        elif op == "read":
            if os.fstat(pick(n)).st_mode & 0o100000: os.read(pick(n), m % 9)
        elif op == "seek":
            os.lseek(pick(n), m % 30, os.SEEK_SET)
        elif op == "inherit":
            os.set_inheritable(pick(n), bool(m % 2))
        elif op == "cloexec":
            fcntl.fcntl(pick(n), fcntl.F_SETFD, fcntl.FD_CLOEXEC if m % 2 else 0)
    except OSError:
        pass
def play(steps):
    for op, n, m in steps:
        if op == "fork":
            pid = os.fork()
            if pid == 0:
                do("open", n, m)
                do("write", n, m)
                do("close", m, n)
                say("child")
                os._exit(0)
            os.waitpid(pid, 0)
        else:
            do(op, n, m)
play(STEPS)
say("parent")
pid = os.fork()
if pid == 0:
    os.execv("/bin/ls", ["ls", "/proc/self/fd"])
os.waitpid(pid, 0)
"""
OPS = ("open", "append", "dup", "dup2", "above", "pipe", "close", "range", "write", "read", "seek", "inherit",
       "cloexec", "fork")  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 30), st.integers(0, 30)), min_size=6, max_size=40)


def tables_at_the_looks(result: SandboxResult) -> dict[tuple[int, str], OpenFiles]:
    """What the calls say was open when a process wrote what it saw, by process and by who it said it is."""
    seen, found = at_the_start(result.parent.pid), {}
    for call in in_their_order(result.calls):
        seen = after_call(seen, call)
        if call.name == "write" and call.arguments.startswith("1, \"('"):
            found[call.pid, call.arguments.split("'")[1]] = seen
        elif '"/proc/self/fd"' in call.arguments and call.pid == result.processes[-1].pid:
            found[call.pid, "exec"] = seen
    return found


@settings(max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_any_sequence_of_calls_leaves_the_table_that_the_kernel_has(steps: list[tuple[str, int, int]]) -> None:
    result = sandbox.run(PROGRAM.replace("STEPS", repr(steps)), trace=True, lines=True, timeout=60)
    told = tables_at_the_looks(result)
    looks = [ast.literal_eval(line) for line in result.lines if line.startswith("('")]
    assert len(looks) == 1 + sum(op == "fork" for op, _, _ in steps)
    listed = [int(line) for line in result.lines if line.isdigit()]
    ls = result.processes[-1].pid
    assert [one.fd for one in told[ls, "exec"].tables[ls]] == sorted(listed)
    for who, pid, real in looks:
        table = told[pid, who].tables[pid]
        assert [one.fd for one in table] == sorted(real)
        for one in table:
            name, position, closes = real[one.fd]
            file = told[pid, who].files[one.file]
            assert one.closes == closes
            assert (
                file.kind == name.split(":")[0]
                or (file.kind, name) == ("other", "null")
                or name.endswith((file.name, f"{file.name} (deleted)"))
            )
            if file.offset is not None:
                assert file.offset == position
