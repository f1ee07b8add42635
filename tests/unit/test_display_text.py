"""The text forms: the same run gives the same text, and nothing in it can steer a terminal."""

from __future__ import annotations

import json
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab import display
from udock_lab.display.text.status import status_groups, status_macros
from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Failure,
    Feature,
    Image,
    Inspection,
    Isolation,
    Record,
    RunResult,
    Status,
    StepReport,
)
from udock_lab.model.value import replace
from udock_lab.text.amounts import size, uptime

KILLED_STATUS = ExitStatus(raw=9)
IMAGE = Image(name="demo", rootfs="/home/ada/.mdock/images/demo/rootfs", created="2026-01-02T03:04:05")


def record(**changes: object) -> Record:
    first = Record(id="c1", pid=4711, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")
    return replace(first, **changes)  # type: ignore[arg-type]


def container() -> Container:
    return Container(record=record(), state="running", alive=True, uptime=3725.9, command="/bin/sleep 100")


def steps_of(pid: int, home: str, late: int = 0) -> tuple[StepReport, ...]:
    calls = (
        ("parent", "fork()", f"= {pid}"),
        ("child", "recvmsg(gate)", "the plan"),
        ("child", f'chdir("{home}/images/demo/rootfs")', "= 0"),
        ("child", f'chroot("{home}/images/demo/rootfs")', "= 0"),
        ("child", 'execve("/bin/sh", ["/bin/sh", "-c", "exit 42"])', "does not return"),
        ("parent", f"waitpid({pid})", f"= {pid}, status 10752"),
    )
    return tuple(
        StepReport(
            name=call.partition("(")[0],
            who=who,
            call=call,
            start=1000 * n + late,
            end=1000 * n + 500 + late,
            result=result,
        )
        for n, (who, call, result) in enumerate(calls)
    )


def run_of(status: ExitStatus, *, pid: int = 4711, home: str = "/home/ada/.mdock", second: int = 5) -> RunResult:
    before = record(pid=pid, start_time=f"2026-01-02T03:04:0{second}")
    ended = replace(before, status=Status.EXITED, end_time="2026-01-02T03:04:06", exit_code=status.shell_code)
    return RunResult(
        id="c1",
        image="demo",
        argv=("/bin/sh", "-c", "exit 42"),
        pid=pid,
        exit_code=status.shell_code,
        exit_status=status,
        isolation=Isolation.CHROOT,
        steps=steps_of(pid, home, late=pid),
        before=before,
        after=ended,
        log_path=f"{home}/logs/c1.log",
    )


EXITED = run_of(ExitStatus(raw=42 << 8))
NEVER = replace(
    run_of(ExitStatus(raw=127 << 8)),
    argv=("/bin/nope",),
    failure=Failure(
        step="execve", errno=2, exit_code=127, message="/bin/nope does not exist.", hint="Look: mdock run demo ls /"
    ),
)
CHDIR_RUN = replace(
    EXITED,
    isolation=Isolation.CHDIR,
    notes=("chroot failed (need root). Running with chdir only.",),
    steps=tuple(
        replace(step, errno=1, result="= -1 EPERM (Operation not permitted)") if step.name == "chroot" else step
        for step in EXITED.steps
    ),
)


def test_a_run_reads_the_same_whatever_its_pid_times_and_home() -> None:
    elsewhere = run_of(ExitStatus(raw=42 << 8), pid=99, home="/tmp/x y", second=9)
    assert display.run_text(EXITED) == display.run_text(elsewhere)


def test_a_run_reads_like_this() -> None:
    assert display.run_text(EXITED) == "\n".join(
        (
            "c1  demo  /bin/sh -c 'exit 42'",
            "  exited with code 42",
            "  isolation    chroot: the program's / is the image",
            "  wait status  10752 = 00101010 0 0000000",
            "  shell code   $? = 42",
            "  record while running  c1|<pid>|demo|running|<start>||",
            "  record at the end     c1|<pid>|demo|exited|<start>|<end>|42",
            "  changed               status, end_time, exit_code",
            "  WHO         CALL                                             RESULT",
            "  parent  ok  fork()                                           = <pid>                -> child",
            "  child   ok  recvmsg(gate)                                    the plan",
            '  child   ok  chdir(".../images/demo/rootfs")                  = 0',
            '  child   ok  chroot(".../images/demo/rootfs")                 = 0',
            '  child   ok  execve("/bin/sh", ["/bin/sh", "-c", "exit 42"])  does not return        now /bin/sh, same pid',
            "  child       exited with code 42",
            "  parent  ok  waitpid(<pid>)                                   = <pid>, status 10752  <- child",
        )
    )


def test_an_argument_that_looks_like_the_pid_is_not_replaced() -> None:
    text = display.run_text(run_of(ExitStatus(raw=42 << 8), pid=42))
    assert '"exit 42"' in text
    assert "waitpid(<pid>)" in text
    assert "exited with code 42" in text


def test_a_failure_does_not_tell_where_the_home_is() -> None:
    failure = Failure(
        step="chdir",
        errno=2,
        exit_code=125,
        message='chdir("/home/ada/.mdock/images/demo/rootfs") failed: ENOENT.',
        hint="First do this.\nThen do that.",
    )
    text = display.run_text(replace(EXITED, failure=failure, exit_code=None, exit_status=None))
    assert 'never started (exit code 125): chdir(".../images/demo/rootfs") failed: ENOENT.' in text
    assert "  First do this.\n  Then do that.\n" in text


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (0, "exited with code 0"),
        (512, "exited with code 2"),
        (9, "ended by SIGKILL (signal 9), shell code 137"),
        (128 + 11, "ended by SIGSEGV (signal 11), core dumped, shell code 139"),
        (
            signal.SIGXCPU,
            f"ended by SIGXCPU (signal {signal.SIGXCPU:d}): it used up its processor time, "
            f"shell code {128 + signal.SIGXCPU}",
        ),
    ],
)
def test_how_it_ended_is_one_sentence(raw: int, said: str) -> None:
    assert display.run_text(run_of(ExitStatus(raw=raw))).splitlines()[1].strip() == said


def test_a_detached_run_says_that_it_goes_on() -> None:
    running = replace(EXITED, exit_status=None, exit_code=None, detached=True, after=None)
    assert "runs in the background" in display.run_text(running)


def test_chdir_only_says_what_that_means() -> None:
    assert "chroot was refused, so / is still this machine's" in display.run_text(CHDIR_RUN)
    assert 'child   FAILED  chroot(".../images/demo/rootfs")' in display.run_text(CHDIR_RUN)


def test_a_signal_and_the_exit_code_that_imitates_it_are_told_apart() -> None:
    killed, imitated = (display.status_text(ExitStatus(raw=raw)) for raw in (9, 137 << 8))
    assert "in a shell $? = 128 + 9 = 137" in killed
    assert answers(killed) == {"WIFEXITED": "false", "WIFSIGNALED": "true", "WTERMSIG": "9", "WEXITSTATUS": "-"}
    assert "in a shell $? = 137" in imitated
    assert answers(imitated) == {"WIFEXITED": "true", "WIFSIGNALED": "false", "WTERMSIG": "-", "WEXITSTATUS": "137"}


def answers(text: str) -> dict[str, str]:
    """What four of the macros answer, as the text shows it."""
    rows = (line.split() for line in text.splitlines() if line.startswith("  W"))
    wanted = ("WIFEXITED", "WIFSIGNALED", "WTERMSIG", "WEXITSTATUS")
    return {row[0]: row[-1] for row in rows if row[0] in wanted}


@given(st.integers(0, 0xFFFF))
def test_every_macro_answers_as_the_c_library_does(raw: int) -> None:
    shown = {macro: answer for macro, _, _, answer in status_macros(ExitStatus(raw=raw))}
    for macro, answer in shown.items():
        if answer != "-":
            assert answer == str(getattr(os, macro)(raw)).lower(), macro
    assert shown["WSTOPSIG"] != "-" or not os.WIFSTOPPED(raw)
    assert shown["WEXITSTATUS"] != "-" or not os.WIFEXITED(raw)


@given(st.integers(0, 0xFFFF))
def test_the_formulas_are_true(raw: int) -> None:
    for *_, formula, _counts in status_groups(ExitStatus(raw=raw)):
        left, _, right = formula.partition(" = ")
        assert eval(left, {"status": raw}) == int(right)


@given(st.integers(0, 0xFFFF))
def test_every_wait_status_shows_all_its_bits(raw: int) -> None:
    first = display.status_text(ExitStatus(raw=raw)).splitlines()[0]
    assert first.split("=")[1].replace(" ", "") == f"{raw:016b}"


def test_a_stopped_process_is_not_called_ended() -> None:
    text = display.status_text(ExitStatus(raw=(signal.SIGSTOP << 8) | 0x7F))
    assert "has not ended" in text
    assert "stopped by signal 19" in text
    assert "$?" not in text


@given(st.text(), st.text())
def test_no_text_moves_the_cursor(one: str, two: str) -> None:
    run = replace(EXITED, argv=(one, two), notes=(one,), image=two)
    listed = display.ps_text([replace(container(), command=one, state=two)])
    images = display.images_text([Image(name=one, rootfs=two, created="now")])
    doctor = display.doctor_text(
        DoctorReport(rung=one, summary=two, features=(Feature(name=one, works=False, detail=two, remedy=one),))
    )
    for text in (display.run_text(run), listed, images, doctor):
        assert all(line == line.rstrip("\n") and line.isprintable() for line in text.split("\n"))
    assert len(listed.split("\n")) == 2


def test_measured_steps_come_in_the_order_of_time_with_microseconds() -> None:
    lines = display.steps_text(tuple(reversed(EXITED.steps))).splitlines()
    assert lines[0].split()[:4] == ["START", "us", "TOOK", "us"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "1", "2", "3", "4", "5"]
    assert "/home/ada/.mdock/images/demo/rootfs" in lines[3]


def test_columns_line_up_with_wide_characters() -> None:
    rows = display.images_text([replace(IMAGE, rootfs="/x"), replace(IMAGE, name="箱箱箱", rootfs="/x")]).splitlines()
    assert rows[1].index("2026") == rows[2].index("2026") + 3  # three characters that take two columns each


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("箱箱箱", 6),
        ("e\u0301te\u0301", 3),  # an accent of its own stands above the letter before it
        ("한글", 4),
        ("\u1112\u1161\u11ab", 2),  # one syllable of three parts
        ("📦", 2),
        ("❤\ufe0f", 2),  # a sign that is asked to be drawn as an emoji
        ("ｶﾞ", 2),  # halfwidth
        ("naïve µs → …", 12),
        ("สวัสดี", 4),
    ],
)
def test_columns_line_up_whatever_a_command_is_written_in(text: str, takes: int) -> None:
    listed = display.ps_text([replace(container(), command=text), replace(container(), command="x" * takes)])
    head, wide, narrow = listed.splitlines()
    at = head.index("COMMAND")
    assert wide[at:].removeprefix(text) == narrow[at + takes :]


@pytest.mark.parametrize("text", ["箱" * 40, "e\u0301" * 60, "a" + "\u0301" * 100_000, "x箱" * 30])
def test_long_command_is_cut_to_the_columns_that_it_may_take(text: str) -> None:
    listed = display.ps_text([replace(container(), command=text), replace(container(), command="x" * 32)])
    _, wide, narrow = listed.splitlines()
    shown = wide[narrow.index("x") :].partition("…")[0]
    assert len(shown) < 300 and text.startswith(shown)
    assert 30 <= sum(2 if c == "箱" else c != "\u0301" for c in shown) <= 31 or text.startswith("a")


def test_ps_looks_like_this() -> None:
    gone = replace(container(), state="exited (orphaned)", alive=False, uptime=None, command="x" * 50)
    assert display.ps_text([container(), gone]).splitlines() == [
        "CONTAINER ID  IMAGE  COMMAND                           STATUS             PID   UPTIME    "
        "STARTED              EXIT",
        "c1            demo   /bin/sleep 100                    running            4711  01:02:05  "
        "2026-01-02T03:04:05  -",
        f"c1            demo   {'x' * 31}…  exited (orphaned)  4711  -         2026-01-02T03:04:05  -",
    ]


def test_inspect_is_json() -> None:
    data: dict[str, object] = {"id": "c1", "record": {"pid": 4711}}
    assert json.loads(display.inspect_text(Inspection(kind="container", data=data))) == data


def test_doctor_gives_the_remedy_only_where_something_is_refused() -> None:
    features = (
        Feature(name="chroot", works=False, detail="EPERM", remedy="use sudo"),
        Feature(name="pidfd", works=True, detail="works", remedy="unused"),
    )
    text = display.doctor_text(DoctorReport(rung="E", summary="chdir only", features=features))
    assert "Rung E: chdir only" in text
    assert "NO   chroot  EPERM\n" in text
    assert "-> use sudo" in text
    assert "unused" not in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "00:00:00"),
        (-5, "00:00:00"),
        (None, "00:00:00"),
        (59.9, "00:00:59"),
        (3661, "01:01:01"),
        (360_000, "100:00:00"),
    ],
)
def test_uptime_is_clamped_and_may_pass_99_hours(seconds: float | None, shown: str) -> None:
    assert uptime(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (12 << 20, "12 MiB"),
        (5 << 30, "5.0 GiB"),
        (1 << 70, "1024 EiB"),
    ],
)
def test_sizes_are_in_powers_of_1024(count: int, shown: str) -> None:
    assert size(count) == shown


def test_single_values_have_a_text_form() -> None:
    assert display.to_text(container()).startswith("CONTAINER ID")
    assert display.to_text(IMAGE).startswith("IMAGE")
    assert display.to_text(record()) == "c1|4711|demo|running|2026-01-02T03:04:05||"
