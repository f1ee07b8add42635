"""What happens at a terminal, for any user: its size, its descriptors, and who gets what is typed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from terminals import Terminal, shell_with_mdock
from waiting import until

from udock_lab import MdockError, Runtime
from udock_lab.linux.process import descendants, parent
from udock_lab.runtime.client.typed import Lines

MDOCK = [sys.executable, "-m", "udock_lab.cli"]


@pytest.fixture
def outside(runtime: Runtime, tmp_path: Path) -> Iterator[Terminal]:
    """A shell with job control outside, in which ``mdock`` is typed."""
    with closing(shell_with_mdock(tmp_path)) as terminal:
        yield terminal
        for container in runtime.ps(running=True):
            with suppress(MdockError):  # it ends by itself
                runtime.kill(container.id)


def files_of(pid: int) -> list[str]:
    """Where the descriptors of a process lead."""
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{fd}") for fd in sorted(os.listdir(folder), key=int)]


@contextmanager
def typed_ahead(keys: bytes) -> Iterator[int]:
    """A terminal at which something was typed before anybody reads."""
    screen, side = os.openpty()
    try:
        os.write(screen, keys)
        yield side
    finally:
        os.close(screen)
        os.close(side)


def left_at(side: int) -> bytes:
    """What nobody has read: it is left to whoever reads next, such as the shell."""
    os.set_blocking(side, False)
    return os.read(side, 4096)


# --- its size


@pytest.mark.parametrize(
    ("size", "seen"), [((0, 0), "24 80"), ((0, 100), "24 100"), ((30, 0), "30 80"), ((7, 9), "7 9")]
)
def test_terminal_that_does_not_know_its_size_has_24_lines_of_80(
    runtime: Runtime, size: tuple[int, int], seen: str
) -> None:
    with closing(Terminal("run", "demo", "/bin/sh", "-c", "stty size", size=size)) as terminal:
        terminal.expect(f"{seen}\r\n")
        assert terminal.wait() == 0


def test_size_is_told_and_followed_where_nobody_may_type(runtime: Runtime) -> None:
    script = "stty size; while [ $(stty size | cut -c 1) = 3 ]; do sleep 0.1; done; stty size"
    with closing(Terminal("run", "-t", "demo", "/bin/sh", "-c", script)) as terminal:
        terminal.expect("30 100")
        terminal.resize(41, 77)
        terminal.expect("41 77")


# --- its descriptors

MANY = """
import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
for _ in range(1100):
    os.set_inheritable(os.dup(2), True)
os.execv(sys.executable, [sys.executable, "-m", "udock_lab.cli", *sys.argv[1:]])
"""


@pytest.mark.parametrize("options", [(), ("-i",), ("-t",), ("-it",)])
def test_over_a_thousand_inherited_descriptors_do_no_harm_at_a_terminal(
    runtime: Runtime, options: tuple[str, ...]
) -> None:
    script = "read line; echo got $line; exit 42" if options != ("-t",) else "echo got hello; exit 42"
    words = ("run", *options, "demo", "/bin/sh", "-c", script)
    with closing(Terminal(*words, program=(sys.executable, "-c", MANY))) as terminal:
        terminal.type("hello\n")
        terminal.expect("got hello")
        assert terminal.wait() == 42


@pytest.mark.parametrize(
    "command",
    [
        "mdock run demo sleep 60",
        "mdock run -i demo sleep 60",
        "mdock run -t demo sleep 60",
        "mdock run -it demo sleep 60",
        "mdock run -d demo sleep 60",
        "mdock run -di demo sleep 60",
        "mdock run -dt demo sleep 60",
        "mdock run -dit demo sleep 60",
        "mdock run demo sleep 60 > /dev/null",
        "mdock run demo sleep 60 2> /dev/null",
        "mdock run -i demo sleep 60 > /dev/null",
        "mdock run -it demo sleep 60 > /dev/null",
        "mdock run -t demo sleep 60 < /dev/null",
        "mdock run demo sleep 60 < /dev/null",
        "mdock run demo sleep 60 &",
        "mdock run -i demo sleep 60 &",
        "mdock run demo sleep 60 | cat",
        "id=$(mdock run -d demo sleep 70); mdock exec $id sleep 60",
        "id=$(mdock run -d demo sleep 70); mdock exec -i $id sleep 60",
        "id=$(mdock run -d demo sleep 70); mdock exec -t $id sleep 60",
        "id=$(mdock run -d demo sleep 70); mdock exec -it $id sleep 60",
        "id=$(mdock run -d demo sleep 70); mdock exec $id sleep 60 > /dev/null",
    ],
)
def test_no_program_holds_the_terminal_of_a_person(outside: Terminal, runtime: Runtime, command: str) -> None:
    outside.type(f"{command}\n")
    assert until(lambda: pid_of("sleep\x0060", outside.pid, runtime))
    program = pid_of("sleep\x0060", outside.pid, runtime)
    assert isinstance(program, int)
    assert os.ttyname(outside.side) not in files_of(program)


def pid_of(command: str, shell: int, runtime: Runtime) -> int | None:
    """The process with this command line, below the shell or in a container."""
    known = [shell, *(container.record.pid for container in runtime.ps(running=True))]
    above = [parent(pid) for pid in known[1:]]
    for top in (*known, *filter(None, above)):
        for pid in (top, *descendants(top)):
            with suppress(OSError), open(f"/proc/{pid}/cmdline") as file:  # it may have ended meanwhile
                if file.read().rstrip("\0") == command:
                    return pid
    return None


SCRIPT = """
import sys, threading
from udock_lab import MdockError, Runtime
code = []
def run():
    result = Runtime().run("demo", ["/bin/sh", "-c", "read a; read b; echo $b $a; exit 42"], stdin=0,
                           on_output=lambda _, data: sys.stdout.buffer.write(data))
    code.append(result.exit_code)
if sys.argv[1] == "thread":
    thread = threading.Thread(target=run); thread.start(); thread.join()
else:
    run()
sys.stdout.flush()
sys.exit(code[0])
"""


@pytest.mark.parametrize("where", ["main", "thread"])
def test_python_that_passes_on_its_terminal_passes_on_the_lines_typed_there(runtime: Runtime, where: str) -> None:
    with closing(Terminal(program=(sys.executable, "-c", SCRIPT, where))) as terminal:
        terminal.type("one\ntwo\n")
        terminal.expect("\ntwo one\r\n")
        assert terminal.wait() == 42


# --- who gets what is typed


def test_plain_run_of_an_image_is_a_shell_in_which_somebody_types(runtime: Runtime) -> None:
    with closing(Terminal("run", "demo")) as terminal:
        terminal.expect("[#$] ")
        terminal.type("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && exit 42\n")
        assert terminal.wait() == 42


def test_exec_of_a_shell_is_one_in_which_somebody_types(runtime: Runtime) -> None:
    name = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    with closing(Terminal("exec", name, "/bin/sh")) as terminal:
        terminal.expect("[#$] ")
        terminal.type("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && exit 42\n")
        assert terminal.wait() == 42


@pytest.mark.parametrize("face", ["run", "exec"])
def test_lines_go_through_a_pipe_with_dash_i_alone_and_control_d_ends_them(runtime: Runtime, face: str) -> None:
    target = "demo" if face == "run" else runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    script = "[ -t 0 ] || echo no terminal; while read line; do echo got $line; done; exit 42"
    with closing(Terminal(face, "-i", target, "/bin/sh", "-c", script)) as terminal:
        terminal.expect("no terminal")
        assert termios.tcgetattr(terminal.side) == terminal.before
        terminal.type("one\n")
        terminal.expect("got one")
        terminal.type("two\n\x04")
        terminal.expect("got two")
        assert terminal.wait() == 42


@pytest.mark.parametrize("face", ["run", "exec"])
def test_dash_t_alone_reads_nothing_and_control_c_is_sigint(runtime: Runtime, face: str) -> None:
    target = "demo" if face == "run" else runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    script = "[ -t 0 ] && echo a terminal; trap 'echo got-int; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with closing(Terminal(face, "-t", target, "/bin/sh", "-c", script)) as terminal:
        terminal.expect("a terminal\r+\nready")
        assert termios.tcgetattr(terminal.side) == terminal.before
        terminal.type("kept\n")
        terminal.type("\x03")
        terminal.expect("got-int")
        assert terminal.wait() == 9


def test_dash_t_alone_is_put_aside_and_continued_by_the_shell(outside: Terminal) -> None:
    outside.type("mdock run -t demo sh -c 'echo be-$((1+1)); read line; echo $line' ; echo code=$?\n")
    outside.expect("be-2")
    outside.type("\x1a")
    outside.expect("topped(.|\n)*H> ")
    outside.type("fg\n")
    assert until(lambda: os.tcgetpgrp(outside.screen) != outside.pid)  # before that, Ctrl-C is the shell's
    outside.type("\x03")
    outside.expect("H> ")
    outside.type("echo the-shell-has-$((1+1))\n")
    outside.expect("\nthe-shell-has-2")


@pytest.mark.parametrize("options", ["-t", "-d"])
def test_loop_over_typed_lines_gets_every_one_of_them(outside: Terminal, options: str) -> None:
    outside.type(f"while read x; do mdock run {options} demo true; echo line-$x; done\n")
    outside.type("one\ntwo\nthree\n")
    outside.expect("line-one\r\n(.|\n)*line-two\r\n(.|\n)*line-three\r\n")
    outside.type("\x04")
    outside.expect("H> ")


def test_loop_over_a_pipe_gets_every_line_with_dash_t(runtime: Runtime) -> None:
    loop = 'while read x; do "$@" run -t demo echo got-$x; done'
    done = subprocess.run(["sh", "-c", loop, "sh", *MDOCK], input=b"one\ntwo\nthree\n", capture_output=True, timeout=60)
    assert done.stdout.split() == [b"got-one", b"got-two", b"got-three"]


@pytest.mark.parametrize("options", [(), ("-i",)])
def test_what_comes_from_a_pipe_is_read_whole(runtime: Runtime, options: tuple[str, ...]) -> None:
    done = subprocess.run([*MDOCK, "run", *options, "demo"], input=b"echo $((40+2))\nexit 3\n", capture_output=True)
    assert (done.stdout, done.returncode) == (b"42\n", 3)


def test_lines_typed_reach_a_program_whose_output_goes_to_a_file(outside: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "f"
    outside.type(f"mdock run demo cat > {file}\n")
    assert until(file.exists)
    outside.type("one\n")
    assert until(lambda: file.read_text() == "one\n")
    outside.type("\x1a")
    outside.expect("topped(.|\n)*H> ")
    outside.type("echo the-shell-has-$((1+1))\n")
    outside.expect("has-2")
    outside.type("fg\n")
    outside.expect("mdock run demo cat(.|\n)*\n")
    outside.type("two\n")
    assert until(lambda: file.read_text() == "one\ntwo\n")
    outside.type("\x04")
    outside.expect("H> ")
    assert file.read_text() == "one\ntwo\n"


def test_lines_that_a_program_does_not_read_are_left_to_the_shell(outside: Terminal, tmp_path: Path) -> None:
    outside.type(f"mdock run demo sh -c 'echo begun; sleep 2' > {tmp_path}/f\n")
    assert until(lambda: (tmp_path / "f").exists() and (tmp_path / "f").read_text())
    outside.type("one line lies ready for the program\n")
    outside.type("echo the-next-$((1+1))\n")
    outside.expect("\nthe-next-2")


@pytest.mark.parametrize("script", ["read line; echo got $line; sleep 1", "read line; echo got $line; wait"])
def test_program_that_has_read_its_line_and_is_about_to_end_leaves_the_next_one(runtime: Runtime, script: str) -> None:
    with typed_ahead(b"one\nfor the shell\n") as side:
        result = runtime.run("demo", ["/bin/sh", "-c", f"sleep 1 & {script}"], stdin=side)
        assert result.stdout == b"got one\n"
        assert left_at(side) == b"for the shell\n"


@pytest.mark.parametrize("program", [["/bin/sleep", "1"], ["/bin/true"], ["/no/such/program"]])
def test_program_that_never_reads_leaves_every_line(runtime: Runtime, program: list[str]) -> None:
    with typed_ahead(b"for the shell\n") as side:
        runtime.run("demo", program, stdin=side)
        assert left_at(side) == b"for the shell\n"


def test_lines_typed_ahead_reach_whoever_in_the_container_reads_them_and_no_line_more(runtime: Runtime) -> None:
    script = "read a; echo $a; head -n 1 | sed s/^/piped-/; sh -c 'read b; echo inner-$b'; (read c; echo last-$c)"
    with typed_ahead(b"one\ntwo\nthree\nfour\nfor the shell\n") as side:
        result = runtime.run("demo", ["/bin/sh", "-c", script], stdin=side)
        assert result.stdout.split() == [b"one", b"piped-two", b"inner-three", b"last-four"]
        assert left_at(side) == b"for the shell\n"


def test_a_hundred_pasted_lines_arrive_in_order(runtime: Runtime) -> None:
    lines = [b"line-%d" % number for number in range(100)]
    with typed_ahead(b"\n".join(lines) + b"\n\x04") as side:
        result = runtime.run("demo", ["/bin/sh", "-c", "while read x; do echo $x; done"], stdin=side)
        assert result.stdout.split() == lines


LOOKS = "import select, time\nwhile not select.select([0], [], [], 0)[0]: time.sleep(0.05)\nprint('got', input())"


def passed_on_by(lines: Lines, argv: list[str], reader: int | None = None) -> str:
    """What a program wrote to whom ``lines`` passed on what is typed; ``reader``: who is said to read it."""
    with subprocess.Popen(argv, stdin=lines.far_end, stdout=subprocess.PIPE, text=True) as program, lines:
        lines.started(reader or program.pid)
        while waited_for := lines.waits_for():
            wait = select.poll()
            for fd, events in waited_for.items():
                wait.register(fd, events)
            lines.go_on(dict(wait.poll(1000 * (lines.rests() or 20))))
        return program.communicate(timeout=60)[0]


def test_program_that_looks_for_a_line_and_never_waits_gets_it() -> None:
    with typed_ahead(b"one\nfor the shell\n") as side, closing(Lines(side)) as lines:
        assert passed_on_by(lines, [sys.executable, "-c", LOOKS]) == "got one\n"
        assert left_at(side) == b"for the shell\n"


def test_program_of_which_the_machine_tells_nothing_gets_its_line_all_the_same() -> None:
    with typed_ahead(b"one\nfor the shell\n") as side, closing(Lines(side)) as lines:
        stranger = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
        try:
            assert passed_on_by(lines, ["head", "-n", "1"], stranger.pid) == "one\n"
        finally:
            stranger.kill()
            stranger.wait()
        assert left_at(side) == b"for the shell\n"


def test_program_that_closes_its_input_takes_no_line(outside: Terminal, tmp_path: Path) -> None:
    outside.type(f"mdock run demo sh -c 'exec 0< /dev/null; echo begun; sleep 2' > {tmp_path}/f\n")
    assert until(lambda: (tmp_path / "f").exists() and (tmp_path / "f").read_text())
    outside.type("echo the-first-$((1+1))\n")
    outside.expect("\nthe-first-2")


def test_job_in_the_background_gets_its_lines_when_it_comes_to_the_foreground(
    outside: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "f"
    outside.type(f"mdock run -i demo cat > {file} &\n")
    outside.expect("H> ")
    outside.type("echo the-shell-has-$((1+1))\n")
    outside.expect("\nthe-shell-has-2")
    outside.expect("H> ")
    outside.type("jobs\n")
    assert "unning" in outside.expect("mdock run -i demo(.|\n)*H> ")
    outside.type("fg\n")
    outside.expect("mdock run -i demo cat(.|\n)*\n")
    outside.type("for the program\n")
    assert until(lambda: file.exists() and file.read_text() == "for the program\n")
    outside.type("\x04")
    outside.expect("H> ")


def test_input_of_a_detached_container_stays_open_and_takes_no_key(outside: Terminal, runtime: Runtime) -> None:
    outside.type("mdock run -di demo sh -c 'read line; echo $line' > /dev/null; echo over-$((1+1))\n")
    outside.expect("\nover-2")
    outside.type("echo still-$((1+1))\n")
    outside.expect("\nstill-2")
    (container,) = runtime.ps(running=True)
    assert runtime.logs(container.id) == b""


def test_shell_in_a_container_is_put_aside_and_continued_from_outside(outside: Terminal) -> None:
    outside.type("mdock run -it -e PS1='ready> ' demo /bin/sh\n")
    outside.expect("\nready> ")
    raw = termios.tcgetattr(outside.side)
    outside.type("\n")
    outside.expect("ready> ")
    os.killpg(os.tcgetpgrp(outside.screen), 20)  # SIGTSTP, from another terminal
    outside.expect("topped(.|\n)*H> ")
    outside.type("fg\n")
    assert until(lambda: termios.tcgetattr(outside.side)[3] == raw[3])
    outside.type("echo on-$((1+1))\n")
    outside.expect("on-2\r\n")
    outside.type("exit 5\n")
    outside.expect("H> ")
    outside.type("echo code=$?\n")
    outside.expect("code=5")


def test_input_that_is_no_terminal_is_refused_with_dash_it(runtime: Runtime) -> None:
    done = subprocess.run([*MDOCK, "run", "-it", "demo"], input="exit 3\n", capture_output=True, text=True)
    assert done.returncode == 125 and "not a terminal" in done.stderr and "leave -t out" in done.stderr


def test_cell_of_a_kernel_that_was_started_at_a_terminal_takes_no_key(runtime: Runtime) -> None:
    from jupyter_client.manager import KernelManager

    screen, side = os.openpty()
    os.write(screen, b"one\nfor whoever started Jupyter\n")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(stdin=side)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        code = (
            "%load_ext udock_lab\n%mdock run demo -- cat\n"
            "print(Runtime().run('demo', ['/bin/sh', '-c', 'read line; echo got $line'], stdin=0).stdout)"
        )
        said: list[str] = []
        client.execute_interactive(
            f"from udock_lab import Runtime\nimport os; assert os.isatty(0)\n{code}",
            timeout=60,
            output_hook=lambda message: said.append(str(message["content"])),
        )
        assert "got one" in "".join(said)
        os.set_blocking(side, False)
        assert os.read(side, 100) == b"for whoever started Jupyter\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        os.close(screen)
        os.close(side)
