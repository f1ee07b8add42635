"""The code that ``mdock`` exits with is the program's own, whatever the moment and whoever started it."""

from __future__ import annotations

import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from as_users import PATIENCE, Mdock, until
from waiting import has_open, has_taken, watches

from udock_lab.linux.process import pids
from udock_lab.runtime.state.lock import locked


def _says(process: subprocess.Popen[bytes], word: bytes) -> None:
    """The program has come so far that it says so."""
    assert process.stdout is not None
    assert process.stdout.readline() == word + b"\n"


def test_signal_that_comes_as_the_program_ends_does_not_hide_its_code(mdock: Mdock) -> None:
    program = "echo up; read line; exit 3"
    process = mdock.start("run", "demo", "sh", "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _says(process, b"up")
    supervisor = mdock.supervisor("c1")
    os.kill(supervisor, signal.SIGSTOP)  # it learns of the end and of the signal in one moment
    pid = mdock.runtime.ps()[0].record.pid
    assert process.stdin is not None
    process.stdin.close()
    until(lambda: _has_ended(pid), "the program's end")
    slept = _sleeps(process.pid)
    process.send_signal(signal.SIGINT)
    until(lambda: _sleeps(process.pid) > slept, "the signal's way through mdock")
    os.kill(supervisor, signal.SIGCONT)
    assert process.wait(timeout=PATIENCE) == 3
    assert mdock.runtime.ps()[0].record.exit_code == 3


def _has_ended(pid: int) -> bool:
    return _state(pid) == "Z"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _sleeps(pid: int) -> int:
    """How often a process has gone to sleep (proc_pid_status(5)): once more when it has dealt with a signal."""
    found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found
    return int(found[1])


@pytest.mark.parametrize("words", [("run", "demo"), ("run", "--rm", "demo"), ("exec", "c1")])
def test_caller_that_ignores_sigchld_gets_the_programs_code(mdock: Mdock, words: tuple[str, ...]) -> None:
    if words[0] == "exec":
        mdock("run", "-d", "demo", "sleep", "60")
    done = mdock(*words, "sh", "-c", "(exit 5); test $? = 5 && exit 42", ignoring=(signal.SIGCHLD,))
    assert done.returncode == 42
    ended = [container for container in mdock.runtime.ps() if not container.alive]
    assert all(container.record.exit_code == 42 for container in ended)


def test_detached_container_of_a_caller_that_ignores_sigchld_is_recorded(mdock: Mdock) -> None:
    assert mdock("run", "-d", "demo", "sh", "-c", "exit 42", ignoring=(signal.SIGCHLD,)).returncode == 0
    waited = mdock("wait", "c1", ignoring=(signal.SIGCHLD,))
    assert waited.stdout == b"42\n"
    assert mdock.runtime.ps()[0].state == "exited"


def test_doctor_of_a_caller_that_ignores_sigchld_says_the_same(mdock: Mdock) -> None:
    assert mdock("doctor", ignoring=(signal.SIGCHLD,)).stdout == mdock("doctor").stdout


_IN_A_KERNEL = """
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
from udock_lab import Runtime, sandbox
print(Runtime().run("demo", ["sh", "-c", "exit 42"]).exit_code)
print(Runtime().run("demo", ["sh", "-c", "kill -TERM $$; exit 1"]).exit_code)
inside = sandbox.run("import os\\npid = os.fork() or os._exit(3)\\nprint(os.waitpid(pid, 0)[1] >> 8)")
print("".join(chunk.text for chunk in inside.output), end="")
"""


def test_notebook_that_ignores_sigchld_and_blocks_sigterm_sees_true_ends(mdock: Mdock) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IN_A_KERNEL], env=mdock.environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("42\n143\n3\n", "")


_DEADLY = ("HUP", "INT", "ALRM", "TERM", "USR1", "USR2", "PIPE", "XFSZ", "VTALRM")


def test_program_starts_with_default_signals_no_mask_and_umask_022(mdock: Mdock) -> None:
    each = f'for s in {" ".join(_DEADLY)}; do sh -c "kill -$s \\$\\$; exit 1"; echo $?; done 2>/dev/null'
    start = (
        "import os, signal, sys; os.umask(0o077)\n"
        "for n in signal.valid_signals() - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = mdock.argv("run", "demo", "sh", "-c", f"umask; touch left; ls -l left; {each}")
    done = subprocess.run(
        [sys.executable, "-c", start, *command], env=mdock.environment, capture_output=True, text=True, timeout=60
    )
    mask, left, *codes = done.stdout.splitlines()
    assert mask == "0022" and left.startswith("-rw-r--r--")
    assert [int(code) for code in codes] == [128 + signal.Signals[f"SIG{name}"] for name in _DEADLY]


@pytest.mark.parametrize("flags", [("-t",), ("-dt",)])
def test_program_that_lets_go_of_its_terminal_runs_on(mdock: Mdock, flags: tuple[str, ...]) -> None:
    # Half a second in which nobody is to end it.
    done = mdock("run", *flags, "demo", "sh", "-c", "exec </dev/null >/dev/null 2>&1; sleep 0.5; exit 7")
    if flags == ("-dt",):
        assert mdock("wait", "c1").stdout == b"7\n"
    else:
        assert done.returncode == 7
    assert mdock.runtime.ps()[0].record.exit_code == 7


def test_program_that_lets_go_of_the_terminal_of_exec_runs_on(mdock: Mdock) -> None:
    mdock("run", "-d", "demo", "sleep", "60")
    # Half a second in which nobody is to end it.
    done = mdock("exec", "-t", "c1", "sh", "-c", "echo seen; exec </dev/null >/dev/null 2>&1; sleep 0.5; exit 7")
    assert (done.returncode, done.stdout) == (7, b"seen\r\n")


def test_what_a_program_says_on_its_terminal_last_of_all_is_not_lost(mdock: Mdock) -> None:
    for _ in range(5):
        done = mdock("run", "-t", "demo", "sh", "-c", "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done")
        assert done.stdout.split(b"\r\n") == [*(b"line %d" % number for number in range(300)), b""]


# --- what is typed


_LINES = [f"line {number} of a long text that was pasted" for number in range(1500)]


def test_nothing_typed_ahead_of_a_slow_program_is_lost_or_kept_in_memory(mdock: Mdock) -> None:
    program = "stty -echo; echo up; until test -e /tmp/go; do sleep 0.02; done; head -n 1500 | md5sum; exit 8"
    screen, process = _at_a_terminal(mdock, "run", "-it", "demo", "sh", "-c", program)
    _read_until(screen, b"up")
    text = "\r".join([*_LINES, ""]).encode()
    while text:
        try:
            text = text[os.write(screen, text[:3000]) :]
        except BlockingIOError:  # no more of it is taken: now the program begins to read
            (_tmp(mdock) / "go").touch()
            select.select([], [screen], [], PATIENCE)
    seen = _read_until(screen, b"-\r\n")
    assert hashlib.md5("\n".join([*_LINES, ""]).encode()).hexdigest().encode() in seen
    assert process.wait(timeout=PATIENCE) == 8
    os.close(screen)


def test_program_that_reads_nothing_costs_nothing_while_somebody_types_without_end(mdock: Mdock) -> None:
    screen, process = _at_a_terminal(mdock, "run", "-it", "demo", "sh", "-c", "stty -echo; echo up; exec sleep 60")
    _read_until(screen, b"up")
    supervisor = mdock.supervisor("c1")
    typed = refused = 0
    while refused < 100:  # nobody takes any more
        try:
            typed += os.write(screen, b"y\r" * 500)
            refused = 0
        except BlockingIOError:
            refused += 1
            time.sleep(0.01)
        assert typed < 1 << 20
    used = _ticks(process.pid) + _ticks(supervisor)
    time.sleep(1)  # a while in which nothing is to happen
    assert _ticks(process.pid) + _ticks(supervisor) - used < 0.2 * os.sysconf("SC_CLK_TCK")
    process.terminate()  # and a signal does not wait behind the keys
    assert process.wait(timeout=PATIENCE) == 143
    os.close(screen)


def _tmp(mdock: Mdock) -> Path:
    """The image's /tmp, where a file tells a program to go on."""
    folder = Path(mdock.runtime.home.image_rootfs("demo"), "tmp")
    folder.mkdir(exist_ok=True)
    return folder


def _at_a_terminal(mdock: Mdock, *words: str) -> tuple[int, subprocess.Popen[bytes]]:
    """What is shown and typed; the program."""
    screen, side = os.openpty()
    process = mdock.start(*words, stdin=side, stdout=side, stderr=side, start_new_session=True)
    os.close(side)
    os.set_blocking(screen, False)
    return screen, process


def _read_until(screen: int, word: bytes) -> bytes:
    seen, deadline = b"", time.monotonic() + PATIENCE
    while word not in seen:
        assert time.monotonic() < deadline, f"{word!r} did not come: {seen!r}"
        if select.select([screen], [], [], 1)[0]:
            seen += os.read(screen, 4096)
    return seen


def _ticks(pid: int) -> int:
    """Processor time that it used so far (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("words", [("run",), ("run", "-i"), ("exec", "-i")])
def test_input_that_others_share_is_blocking_for_the_program_and_as_before_for_them(
    mdock: Mdock, words: tuple[str, ...], blocking: bool
) -> None:
    if words[0] == "exec":
        mdock("run", "-d", "demo", "sleep", "60")
    ours, theirs = os.pipe()
    os.set_blocking(ours, blocking)
    process = mdock.start(*words, "c1" if words[0] == "exec" else "demo", "cat", stdin=ours, stdout=subprocess.PIPE)
    until(lambda: os.get_blocking(ours), "the program's blocking input")
    until(lambda: _readers(ours), "cat, which waits for input")  # else it would say that nothing is there
    os.write(theirs, b"late")
    os.close(theirs)
    assert process.wait(timeout=PATIENCE) == 0
    assert process.stdout is not None and process.stdout.read() == b"late"
    assert os.get_blocking(ours) is blocking
    os.close(ours)


def _readers(fd: int) -> list[int]:
    """The processes `cat` that sleep, with this pipe as their standard input."""
    found = []
    for pid in pids():
        with suppress(OSError):
            its = os.path.samestat(os.stat(f"/proc/{pid}/fd/0"), os.fstat(fd))
            if its and Path(f"/proc/{pid}/cmdline").read_bytes() == b"cat\0" and _state(pid) == "S":
                found.append(pid)
    return found


def test_input_that_a_program_made_non_blocking_is_blocking_again(mdock: Mdock) -> None:
    ours, theirs = os.pipe()
    process = mdock.start("run", "demo", "sh", "-c", "echo up; read line; exit 6", stdin=ours, stdout=subprocess.PIPE)
    _says(process, b"up")
    os.set_blocking(ours, False)  # as the program might: the flag is the open file's, which both have
    os.write(theirs, b"on\n")
    process.wait(timeout=PATIENCE)
    assert os.get_blocking(ours)
    os.close(ours)
    os.close(theirs)


# --- two outputs, or one


_ORDER = "for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i >&2; done; exit 4"
_IN_ORDER = [f"{which} {number}" for number in range(1, 9) for which in ("out", "err")]


def _said(data: bytes) -> list[str]:
    """Without what mdock itself says where chroot is refused."""
    return [line for line in data.decode().splitlines() if not line.startswith("[mdock]")]


@pytest.mark.parametrize("detached", [False, True])
def test_errors_that_go_where_the_output_goes_stay_in_order(mdock: Mdock, detached: bool) -> None:
    words = ["run", *(["-d"] if detached else []), "demo", "sh", "-c", _ORDER]
    done = mdock(*words, stderr=subprocess.STDOUT)
    if detached:
        mdock("wait", "c1")
    assert _said(mdock("logs", "c1").stdout) == _IN_ORDER
    assert detached or (done.returncode, _said(done.stdout)) == (4, _IN_ORDER)


def test_the_log_of_a_run_in_the_background_is_in_order_wherever_its_caller_writes(mdock: Mdock) -> None:
    mdock("run", "-d", "demo", "sh", "-c", _ORDER)  # its id goes into a pipe, its errors into another
    handle = mdock.runtime.run("demo", ["sh", "-c", _ORDER], detach=True)
    for container in ("c1", handle.id):
        mdock("wait", container)
        assert _said(mdock("logs", container).stdout) == _IN_ORDER


def test_errors_of_exec_that_go_where_the_output_goes_stay_in_order(mdock: Mdock) -> None:
    mdock("run", "-d", "demo", "sleep", "60")
    assert _said(mdock("exec", "c1", "sh", "-c", _ORDER, stderr=subprocess.STDOUT).stdout) == _IN_ORDER


def test_one_file_opened_twice_is_one_output(mdock: Mdock, tmp_path: Path) -> None:
    with open(tmp_path / "both", "ab") as out, open(tmp_path / "both", "ab") as err:
        assert mdock("run", "demo", "sh", "-c", _ORDER, stdout=out, stderr=err).returncode == 4
    assert _said((tmp_path / "both").read_bytes()) == _IN_ORDER


def test_two_outputs_stay_two(mdock: Mdock) -> None:
    done = mdock("run", "demo", "sh", "-c", _ORDER)
    assert (_said(done.stdout), _said(done.stderr)) == (_IN_ORDER[::2], _IN_ORDER[1::2])
    result = mdock.runtime.run("demo", ["sh", "-c", _ORDER])
    assert (_said(result.stdout), _said(result.stderr)) == (_IN_ORDER[::2], _IN_ORDER[1::2])


# --- signals that are sent to mdock


_PASSED_ON = ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "IO", "PROF", "VTALRM", "PWR", "ABRT", "36")


@pytest.mark.parametrize("words", [("run", "demo"), ("exec", "c1")])
def test_signal_sent_to_mdock_is_the_programs(mdock: Mdock, words: tuple[str, ...]) -> None:
    if words[0] == "exec":
        mdock("run", "-d", "demo", "sleep", "60")
    traps = " ".join(f"trap 'echo {name}' {name};" for name in _PASSED_ON)
    code = f"{traps} trap 'exit 7' STKFLT; echo up; while :; do sleep 0.05; done"
    process = mdock.start(*words, "sh", "-c", code, stdout=subprocess.PIPE)
    _says(process, b"up")
    for name in _PASSED_ON:
        if name != "INT":
            process.send_signal(_number(name))
            _says(process, name.encode())
    process.send_signal(signal.SIGINT)  # last, as a second one would kill
    _says(process, b"INT")
    for harmless in (signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGPIPE):
        process.send_signal(harmless)
    process.send_signal(16)
    assert process.wait(timeout=PATIENCE) == 7


def _number(name: str) -> int:
    return int(name) if name.isdigit() else signal.Signals[f"SIG{name}"]


def test_program_that_was_stopped_goes_on_when_mdock_is_told_so(mdock: Mdock) -> None:
    process = mdock.start("run", "demo", "sh", "-c", "echo up; kill -STOP $$; exit 9", stdout=subprocess.PIPE)
    _says(process, b"up")
    program = mdock.runtime.ps()[0].record.pid
    until(lambda: _state(program) == "T", "the program's stop")
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=PATIENCE) == 9


@pytest.mark.parametrize("name", ["USR1", "ALRM", "TERM", "HUP", "QUIT", "PROF"])
def test_program_that_a_passed_signal_ends_gives_its_code(mdock: Mdock, name: str) -> None:
    process = mdock.start("run", "demo", "sh", "-c", "echo up; exec sleep 60", stdout=subprocess.PIPE)
    _says(process, b"up")
    process.send_signal(_number(name))
    assert process.wait(timeout=PATIENCE) == 128 + _number(name)
    assert mdock.runtime.ps()[0].record.exit_code == 128 + _number(name)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("words", [("run", "demo"), ("run", "-t", "demo"), ("exec", "c1")])
def test_what_the_caller_ignored_mdock_ignores_and_the_program_does_not(
    mdock: Mdock, words: tuple[str, ...], number: int
) -> None:
    if words[0] == "exec":
        mdock("run", "-d", "demo", "sleep", "60")
    program = f"(sh -c 'kill -{int(number)} $$') 2>&-; echo is $?; until test -e /tmp/go; do sleep 0.02; done; exit 5"
    process = mdock.start(*words, "sh", "-c", program, ignoring=(number,), stdout=subprocess.PIPE)
    expected = 0 if number == signal.SIGQUIT else 128 + number  # that one a shell ignores by itself
    assert process.stdout is not None
    assert next(line for line in process.stdout if b"is" in line).split() == [b"is", b"%d" % expected]
    process.send_signal(number)
    until(lambda: has_taken(process.pid, number))
    (_tmp(mdock) / "go").touch()
    assert process.wait(timeout=PATIENCE) == 5


@pytest.mark.parametrize("words", [("logs", "-f", "c1"), ("wait", "c1"), ("stop", "-t", "60", "c1")])
def test_commands_that_wait_keep_what_their_caller_ignored(mdock: Mdock, words: tuple[str, ...]) -> None:
    mdock("run", "-d", "demo", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
    patient = mdock.start(*words, ignoring=(signal.SIGHUP, signal.SIGINT), stdout=subprocess.DEVNULL)
    ended = mdock.start(*words, stdout=subprocess.DEVNULL)
    record, log = mdock.runtime.ps()[0].record, mdock.runtime.home.container_log("c1")
    for process in (patient, ended):
        until(lambda: watches(process.pid, record.pid) or has_open(process.pid, log), "its wait")  # noqa: B023
    patient.send_signal(signal.SIGHUP)
    patient.send_signal(signal.SIGINT)
    ended.send_signal(signal.SIGUSR1)
    assert ended.wait(timeout=PATIENCE) == -signal.SIGUSR1
    mdock.runtime.kill("c1")
    assert patient.wait(timeout=PATIENCE) == 0


def test_signal_that_means_nothing_does_not_call_off_a_run_that_waits_for_the_lock(mdock: Mdock) -> None:
    mdock("run", "demo", "true")
    with locked(mdock.runtime.home):
        process = mdock.start("run", "demo", "sh", "-c", "exit 6")
        until(lambda: _children(process.pid))
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGWINCH)
        slept = _sleeps(process.pid)
        until(lambda: _sleeps(process.pid) > slept)
    assert process.wait(timeout=PATIENCE) == 6


def test_run_that_a_signal_called_off_says_which_by_its_code(mdock: Mdock) -> None:
    mdock("run", "demo", "true")
    with locked(mdock.runtime.home):
        process = mdock.start("run", "demo", "sleep", "60", stderr=subprocess.DEVNULL)
        until(lambda: _children(process.pid))
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 128 + signal.SIGTERM
    assert len(mdock.runtime.ps()) == 1


def test_run_that_a_signal_ends_before_its_exec_blames_nothing_else(mdock: Mdock) -> None:
    for delay in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4):
        process = mdock.start("run", "demo", "sleep", "60", stderr=subprocess.PIPE)
        time.sleep(delay)  # any moment of its start will do
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode in (-signal.SIGTERM, 143)  # before it was mdock's to pass on, or after
        assert b"memory" not in said and b"limit" not in said


def test_signal_that_comes_before_the_child_has_its_own_process_group_is_not_lost(mdock: Mdock) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is not installed")
    slow = [strace, "-f", "-o", "/dev/null", "-e", "trace=setsid", "-e", "inject=setsid:delay_enter=1500000"]
    process = subprocess.Popen(
        [*slow, *mdock.argv("run", "demo", "sleep", "60")], env=mdock.environment, stdin=subprocess.DEVNULL
    )
    mdock.started.append(process)
    until(lambda: mdock.runtime.ps(running=True), "the record")
    os.kill(int(_children(process.pid).split()[0]), signal.SIGTERM)
    assert process.wait(PATIENCE) == 143


def test_program_that_calls_mdock_as_a_function_gets_its_signals_back(mdock: Mdock) -> None:
    code = (
        "import signal; from udock_lab.cli import main\n"
        "before = [signal.getsignal(number) for number in signal.valid_signals()]\n"
        "print(main(['run', 'demo', 'sh', '-c', 'exit 3']), main(['run', 'demo', 'sh', '-c', 'exit 4']))\n"
        "print(before == [signal.getsignal(number) for number in signal.valid_signals()])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=mdock.environment, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.stdout == "3 4\nTrue\n"


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()
