"""A shell in a container on a real terminal: echo, Ctrl-C, window size, job control, modes restored."""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminals import Terminal, shell_with_mdock
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import children, state

pytestmark = pytest.mark.usefixtures("chroot_works")


@pytest.fixture
def shell(runtime: Runtime) -> Iterator[Terminal]:
    terminal = Terminal("run", "-it", "-e", "PS1=ready> ", "demo", "/bin/sh")
    terminal.expect("ready> ")
    yield terminal
    terminal.close()


def test_keys_echo_once_and_the_shells_exit_code_is_ours(shell: Terminal) -> None:
    shell.type("echo 20$((20+6))\n")
    assert shell.expect("ready> ").count("echo 20$((20+6))") == 1
    shell.type("exit 17\n")
    assert shell.wait() == 17


def in_front(pid: int) -> int:
    """The process group that a terminal of this process listens to (proc_pid_stat(5), tpgid)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[5])


@pytest.fixture
def inside(shell: Terminal, runtime: Runtime) -> int:
    """The shell's process in its container."""
    return runtime.ps(running=True)[0].record.pid


def test_control_c_ends_the_program_and_not_the_shell(shell: Terminal, inside: int) -> None:
    shell.type("sleep 60\n")
    assert until(lambda: in_front(inside) != inside)
    shell.type("\x03")
    shell.expect("ready> ")  # it was to sleep for 60
    shell.type("echo still-$((40+2))\n")
    shell.expect("still-42")
    shell.type("exit 0\n")
    assert shell.wait() == 0


def test_control_d_ends_the_shell(shell: Terminal) -> None:
    shell.type("\x04")
    assert shell.wait() == 0


def test_window_size_is_told_at_the_start_and_when_it_changes(shell: Terminal) -> None:
    shell.type("stty size\n")
    shell.expect("30 100")
    shell.resize(41, 77)
    shell.type("until stty size | grep '41 77'; do sleep 0.05; done\n")
    shell.expect("\n41 77")
    shell.type("exit\n")
    shell.wait()


def test_job_control_works_because_the_terminal_is_the_shells_own(shell: Terminal, inside: int) -> None:
    shell.type("sleep 60\n")
    assert until(lambda: in_front(inside) != inside)
    sleeper = in_front(inside)
    shell.type("\x1a")
    shell.expect("ready> ")
    shell.type("jobs; tty; echo marker$((1+1))\n")
    said = shell.expect("marker2")
    assert "topped" in said and "can't access tty" not in said
    shell.type("kill -9 %1\n")
    assert until(lambda: state(sleeper) in (None, "Z"))
    shell.type("/bin/true; exit 3\n")  # a shell that waits for a program hears of those that ended before, too
    shell.wait()


def test_terminal_mode_is_restored_after_the_end(shell: Terminal) -> None:
    shell.type("exit\n")
    shell.wait()
    after = termios.tcgetattr(shell.side)
    assert after[:4] == shell.before[:4]


def test_terminal_mode_is_restored_after_a_deadly_signal(shell: Terminal) -> None:
    shell.type("kill -9 $$\n")
    assert shell.wait() == 137
    assert termios.tcgetattr(shell.side)[:4] == shell.before[:4]


def test_everything_on_the_screen_is_in_the_log_too(shell: Terminal, runtime: Runtime) -> None:
    shell.type("echo 7$((70+7))\n")
    shell.expect("777")
    shell.type("exit\n")
    shell.wait()
    assert b"777" in runtime.logs("c1")


def test_paste_of_a_long_line_arrives_whole(shell: Terminal, inside: int) -> None:
    shell.type("stty -icanon; cat > /tmp/pasted\n")
    pasted = Path(f"/proc/{inside}/root/tmp/pasted")
    assert until(pasted.exists)
    lines = "".join(f"{number:06d} " + "x" * 60 + "\n" for number in range(400))
    for at in range(0, len(lines), 2000):
        shell.type(lines[at : at + 2000])
        while select.select([shell.screen], [], [], 0.02)[0]:
            os.read(shell.screen, 65536)
    shell.expect("")
    assert until(lambda: pasted.stat().st_size == len(lines))
    shell.type("\x03")
    assert until(lambda: in_front(inside) == inside)
    shell.type("wc -l < /tmp/pasted; echo over$((1+1))\n")
    assert "400" in shell.expect("over2")
    shell.type("exit\n")
    shell.wait()


def test_terminal_that_is_hung_up_takes_its_container_along(shell: Terminal, runtime: Runtime) -> None:
    pid = runtime.ps(running=True)[0].record.pid
    os.kill(shell.pid, signal.SIGKILL)
    os.waitpid(shell.pid, 0)
    shell.status = -9
    assert until(lambda: not Path(f"/proc/{pid}").exists())
    assert until(lambda: runtime.ps()[0].record.end_time)
    assert runtime.ps()[0].record.exit_code != 137, "an interactive shell ignores SIGTERM but not SIGHUP"


@pytest.fixture
def outside(runtime: Runtime, tmp_path: Path) -> Iterator[Terminal]:
    """A shell with job control outside, in which ``mdock`` is typed."""
    terminal = shell_with_mdock(tmp_path)
    yield terminal
    terminal.close()


def test_errors_sent_elsewhere_do_not_come_to_the_terminal(outside: Terminal, tmp_path: Path) -> None:
    outside.type(
        f"mdock run demo sh -c 'echo to-$((1+1)); echo er-$((1+1)) >&2' 2> {tmp_path}/errors; echo over$((2+2))\n"
    )
    said = outside.expect("over4")
    assert "to-2" in said and "er-2" not in said
    assert (tmp_path / "errors").read_text() == "er-2\n"


def test_job_in_the_background_runs_to_its_end_and_takes_no_keys(outside: Terminal) -> None:
    outside.type("mdock run demo sh -c 'cat; sleep 0.5; echo fin-$((1+1))' &\n")
    outside.expect("H> ")
    outside.type("echo these are the shells; wait; echo over$((2+2))\n")
    said = outside.expect("over4")
    assert "fin-2" in said and "topped" not in said and said.count("these are the shells") == 2


def test_terminal_wanted_in_the_background_waits_for_the_foreground(outside: Terminal) -> None:
    outside.type("mdock run -it -e PS1='ready> ' demo sh &\n")
    assert until(lambda: "T" in map(state, children(outside.pid)))
    outside.type("fg\n")
    outside.expect("\nready> ")
    outside.type("exit 3\n")
    outside.expect("H> ")
    outside.type("echo code=$?\n")
    outside.expect("code=3")


def test_terminal_wanted_in_the_background_can_be_ended_without_a_traceback(
    outside: Terminal, runtime: Runtime
) -> None:
    outside.type("mdock run -it demo sleep 60 &\n")
    assert until(lambda: runtime.ps(running=True) and "T" in map(state, children(outside.pid)))
    outside.type("kill %1; wait %1; jobs; echo over$((2+2))\n")
    said = outside.expect("over4")
    assert "Traceback" not in said and "[mdock]" not in said
    assert until(lambda: not runtime.ps(running=True))  # a caller that is killed itself is not waited with
    assert runtime.ps()[0].record.exit_code == 143
