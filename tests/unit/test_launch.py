"""The child's side: a gate, steps, reports, exec."""

from __future__ import annotations

import errno
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.launch import brief, fork_child, open_gate
from udock_lab.runtime.child.plan import Plan
from udock_lab.runtime.child.reports import EXEC, NO_ANSWER, parse_reports

Reports = list[tuple[int, int, int, int]]

pytestmark = pytest.mark.forks


def drain(fd: int) -> bytes:
    data = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while poll.poll(5000):
        try:
            part = os.read(fd, 1 << 16)
        except BlockingIOError:
            continue
        if not part:
            break
        data += part
    return data


def through(plan: Plan, *, rehearse: bool = False, stdin: int | None = None) -> tuple[Reports, bytes, int]:
    """Run one plan in a fresh child; reports, standard output, wait status."""
    child = fork_child(rehearsed=rehearse)
    null = os.open("/dev/null", os.O_RDONLY) if stdin is None else stdin
    brief(child, plan.pack())
    open_gate(child, null, None)
    os.close(null)
    reports, out = parse_reports(drain(child.reports)), drain(child.stdout)
    _, status = os.waitpid(child.pid, 0)
    child.close()
    return reports, out, status


def plan(*argv: str, steps: list[list[object]] | None = None, candidates: list[str] | None = None) -> Plan:
    return Plan(tuple(map(tuple, steps or [])), argv, {"A": "b"}, "/", tuple(candidates or argv[:1]))


@pytest.mark.parametrize("rehearse", [False, True])
def test_child_becomes_the_program_and_says_so_first(rehearse: bool) -> None:
    reports, out, status = through(plan("/bin/sh", "-c", "echo $A; exit 3"), rehearse=rehearse)
    assert out == b"b\n" and os.waitstatus_to_exitcode(status) == 3
    assert [report[:2] for report in reports] == [(0, 0), (EXEC, NO_ANSWER)]


def test_only_three_descriptors_survive_exec() -> None:
    _, out, _ = through(plan("/bin/ls", "/proc/self/fd"))
    assert out.split() == [b"0", b"1", b"2", b"3"]  # 3 is the folder that ls reads


def test_the_session_and_the_process_group_are_its_own() -> None:
    _, out, _ = through(plan("/bin/cat", "/proc/self/stat"))
    fields = out.split()
    assert fields[0] == fields[4] == fields[5]


def test_no_signal_is_ignored_or_blocked_in_the_program() -> None:
    _, out, _ = through(plan("/bin/grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"))
    reserved = 0b11 << 31  # signals 32 and 33 belong to the C library, which lets nobody set them (signal(7))
    assert [int(line.split()[1], 16) & ~reserved for line in out.splitlines()] == [0, 0]


def test_missing_program_is_127_with_enoent_reported() -> None:
    reports, _, status = through(plan("/no/such"))
    assert os.waitstatus_to_exitcode(status) == 127
    assert reports[-1][:2] == (EXEC, errno.ENOENT)


def test_search_goes_on_after_not_here_and_remembers_a_refusal(tmp_path: os.PathLike[str]) -> None:
    closed = os.path.join(tmp_path, "closed")
    open(closed, "w").close()
    os.chmod(closed, 0o644)
    _, out, _ = through(plan("echo", "hi", candidates=["/no/echo", closed, "/bin/echo"]))
    assert out == b"hi\n"
    reports, _, status = through(plan("echo", candidates=["/no/echo", closed, "/no/echo2"]))
    assert os.waitstatus_to_exitcode(status) == 126
    assert [report[1] for report in reports if report[0] == EXEC] == [errno.ENOENT, errno.EACCES, errno.ENOENT]


def test_refused_step_ends_the_child_with_125_and_its_errno() -> None:
    reports, _, status = through(plan("/bin/true", steps=[["chdir", "/no/such/folder"]]))
    assert os.waitstatus_to_exitcode(status) == 125
    assert reports[-1][:2] == (1, errno.ENOENT)


def test_words_that_are_no_utf8_reach_the_program(tmp_path: os.PathLike[str]) -> None:
    _, out, _ = through(plan("/bin/echo", os.fsdecode(b"\xff\xfe|")))
    assert out == b"\xff\xfe|\n"


def test_too_many_words_are_126_and_the_child_is_gone() -> None:
    reports, _, status = through(plan("/bin/true", *["x" * 100_000] * 40))
    assert os.waitstatus_to_exitcode(status) == 126
    assert reports[-1][:2] == (EXEC, errno.E2BIG)


def test_child_whose_parent_closes_the_gate_goes_quietly() -> None:
    child: Fresh = fork_child(rehearsed=True)
    child.close()
    assert os.waitpid(child.pid, 0)[1] == 0


def test_child_killed_at_its_gate_never_reports_an_exec() -> None:
    child = fork_child(rehearsed=False)
    os.kill(child.pid, 9)
    assert parse_reports(drain(child.reports)) == []
    os.waitpid(child.pid, 0)
    child.close()


def test_grandchild_holding_the_output_does_not_hide_exec() -> None:
    child = fork_child(rehearsed=False)
    null = os.open("/dev/null", os.O_RDONLY)
    brief(child, plan("/bin/sh", "-c", "sleep 60 & exit 0").pack())
    open_gate(child, null, None)
    os.close(null)
    assert parse_reports(drain(child.reports))[-1][:2] == (EXEC, NO_ANSWER)
    os.waitpid(child.pid, 0)
    left = subprocess.run(["pkill", "-s", str(child.pid)], check=False)  # its session is what we started
    assert left.returncode == 0, "the grandchild was still there"
    child.close()


@given(data=st.binary(max_size=100))
def test_torn_reports_are_skipped(data: bytes) -> None:
    if not any(len(line.split()) == 4 for line in data.split(b"\n")):
        assert parse_reports(data) == []


def test_two_lines_of_one_execve_become_its_last_word() -> None:
    data = b"0 0 1 2\n-1 -1 5 0\n-1 2 5 6\n-1 -1 7 0\n"
    assert parse_reports(data) == [(0, 0, 1, 2), (-1, 2, 5, 6), (-1, -1, 7, 0)]


# After a fork each of their pages that is written is copied: what is added here is paid for by every container.
COPIED = """
isolation isolation.observe isolation.pid isolation.rlimit isolation.root isolation.sequence isolation.step
isolation.syscalls isolation.terminal isolation.user
linux linux.dispositions linux.idmaps linux.libc linux.namespaces linux.prctl linux.process linux.resolve linux.seccomp
runtime runtime.child runtime.child.descriptors runtime.child.forker runtime.child.fresh runtime.child.kinds
runtime.child.launch runtime.child.launcher runtime.child.plan runtime.child.rehearse runtime.child.reports
runtime.child.unchrooted
wire wire.framing
"""
OF_PYTHON = "__future__ ctypes errno fcntl gc resource select struct"  # with what these import


def test_what_a_fork_copies_is_this_and_no_more() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); {}; print(*sys.modules)"
    found = []
    for start in ("import udock_lab.runtime.child.launcher", f"import {OF_PYTHON.replace(' ', ', ')}"):
        command = [sys.executable, "-I", "-S", "-c", code.format(start), str(Path(__file__).parents[2])]
        found.append({*subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()})
    ours = {name.partition(".")[2] for name in found[0] if name.startswith("udock_lab.")}
    assert ours == {*COPIED.split()}
    assert {name for name in found[0] - found[1] if not name.startswith("udock_lab")} <= {"_socket", "termios"}


def test_the_child_s_contract_stands_above_its_code_and_on_the_page_about_the_house() -> None:
    root = Path(__file__).parents[2]
    code = (root / "udock_lab/runtime/child/launch.py").read_text()
    assert len(code.splitlines()) <= 200, "it is read from top to bottom"
    above, _, child = code.partition("# The child's contract.")
    contract, _, child = child.partition("\n\n\n")
    words = re.findall(r"\w+", contract.replace("#", " "))
    page = re.findall(r"\w+", (root / "docs/architecture.md").read_text().partition("## The child's contract")[2])
    assert "def fork_child" in above and "os.execve" in child
    assert " ".join(words[:100]) in " ".join(page)
