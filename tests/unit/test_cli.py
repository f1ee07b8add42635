"""``mdock`` as a process: exit codes, streams, and containers for real."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

MDOCK = [sys.executable, "-m", "udock_lab.cli"]


class Terminal:
    """Runs ``mdock`` for a user whose HOME is ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / ".mdock"
        self.env = os.environ | {"HOME": str(folder)}

    def __call__(self, *words: str, input: str | None = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MDOCK, *words], env=self.env, input=input, capture_output=True, text=True, timeout=timeout
        )

    def start(self, *words: str, **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*MDOCK, *words], env=self.env, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def mdock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("cli"))
    made = terminal("demo")
    assert made.returncode == 0, made.stderr
    yield terminal
    running = terminal("ps", "-q", "--running").stdout.split()
    if running:
        terminal("rm", "-f", *running)


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_build_says_what_it_could_not_keep_and_nothing_else(nowhere: Terminal, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "door"))
    result = nowhere("build", "demo", str(tree))
    assert result.returncode == 0
    assert result.stderr == "[mdock] /door is a socket and was skipped.\n"


def test_several_containers_are_stopped_together_and_one_bad_id_hinders_none(mdock: Terminal) -> None:
    deaf = ("run", "-d", "demo", "/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done")
    ids = [mdock(*deaf).stdout.strip() for _ in range(4)]
    assert until(lambda: all(mdock("logs", one).stdout == "up\n" for one in ids))
    result = mdock("stop", "-t", "1", ids[0], "c999999", *ids[1:], ids[0])
    done = re.findall(r"\] (STOP|KILL) ", Path(mdock.home, "log.txt").read_text())
    assert done[: len(ids)] == ["STOP"] * len(ids), "each is told to stop before the first has been waited for"
    assert (result.returncode, result.stdout.split()) == (1, [*ids, ids[0]])
    assert "c999999" in result.stderr
    assert mdock("wait", *ids).stdout.split() == ["137"] * 4


# --- without a container -------------------------------------------------------------------------------


def test_mdock_alone_shows_the_overview_and_makes_no_home(nowhere: Terminal) -> None:
    result = nowhere()
    assert (result.returncode, result.stderr) == (0, "")
    assert "usage: mdock COMMAND" in result.stdout
    assert not nowhere.home.exists()


def test_python_dash_m_udock_lab_is_mdock() -> None:
    result = subprocess.run([sys.executable, "-m", "udock_lab", "version"], capture_output=True, text=True)
    assert re.fullmatch(r"mdock \d+\.\d+\.\d+ \(Python .*, Linux .*\)\n", result.stdout)


def test_help_imports_nothing_it_does_not_need() -> None:
    code = "import sys; from udock_lab.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stderr.split())
    needless = {
        "argparse", "asyncio", "ctypes", "dataclasses", "difflib", "html", "IPython", "ipywidgets", "json",
        "logging", "psutil", "select", "shutil", "socket", "subprocess", "tempfile", "threading",
        "udock_lab.display", "udock_lab.model", "udock_lab.runtime.engine",
    }  # fmt: skip
    assert not loaded & needless


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["rm"], 2),
        (["stop", "-t", "x", "c1"], 2),
        (["run"], 125),
        (["run", "--nonsense", "demo"], 125),
        (["run", "--mem", "64Q", "demo"], 125),
        (["exec", "c1"], 125),
    ],
)
def test_wrong_arguments_are_explained_on_stderr_behind_mdock(nowhere: Terminal, words: list[str], code: int) -> None:
    result = nowhere(*words)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr
    assert all(line.startswith("[mdock] ") for line in result.stderr.splitlines())


def test_elsewhere_than_on_linux_mdock_says_so_in_one_sentence() -> None:
    code = "import sys; sys.platform = 'win32'; from udock_lab.cli import main; sys.exit(main(['ps']))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "WSL2" in result.stderr


def test_elsewhere_than_on_linux_the_runtime_says_so_too() -> None:
    code = "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None; from udock_lab import Runtime"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "WSL2" in result.stderr.splitlines()[-1]


def test_a_reader_that_goes_away_ends_mdock_quietly() -> None:
    ends = os.pipe()
    os.close(ends[0])
    result = subprocess.run([*MDOCK, "--help"], stdout=ends[1], stderr=subprocess.PIPE)
    os.close(ends[1])
    assert (result.returncode, result.stderr) == (141, b"")


def test_closed_standard_files_do_no_harm(nowhere: Terminal) -> None:
    result = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m udock_lab.cli images <&- >&- 2>&-"], env=nowhere.env
    )
    assert result.returncode == 0


# --- with containers -----------------------------------------------------------------------------------


def test_run_exits_with_the_containers_code_and_keeps_the_streams_apart(mdock: Terminal) -> None:
    result = mdock("run", "demo", "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 42")
    assert result.returncode == 42
    assert result.stdout == "out\n"
    assert [line for line in result.stderr.splitlines() if not line.startswith("[mdock] ")] == ["err"]


@pytest.mark.parametrize(
    ("program", "code"),
    [(["/bin/nonsense"], 127), (["/etc/passwd"], 126), (["/bin/sh", "-c", "kill -9 $$"], 137)],
)
def test_a_program_that_cannot_start_or_dies_gives_dockers_code(mdock: Terminal, program: list[str], code: int) -> None:
    assert mdock("run", "demo", *program).returncode == code


def test_a_missing_image_is_125_with_a_hint(mdock: Terminal) -> None:
    result = mdock("run", "nosuchimage", "true")
    assert result.returncode == 125
    assert "[mdock] Image 'nosuchimage' not found" in result.stderr


def test_a_script_on_stdin_is_run_by_the_default_shell(mdock: Terminal) -> None:
    assert mdock("run", "demo", input="echo one\necho two\n").stdout == "one\ntwo\n"


def test_only_what_is_given_is_in_the_environment(mdock: Terminal) -> None:
    mdock.env |= {"PASSED_ON": "from outside", "LOGNAME": "learner"}
    script = "echo $A-$PASSED_ON-$LOGNAME"
    result = mdock("run", "-e", "A=one", "-e", "PASSED_ON", "demo", "/bin/sh", "-c", script)
    assert result.stdout == "one-from outside-\n"


def test_detach_prints_the_id_alone_and_the_container_can_be_followed_to_its_end(mdock: Terminal) -> None:
    started = mdock("run", "-d", "demo", "/bin/sh", "-c", "echo begun; sleep 0.3; echo done; exit 3")
    assert re.fullmatch(r"c\d+\n", started.stdout)
    container = started.stdout.strip()
    assert container in mdock("ps", "-q").stdout.split()
    assert mdock("logs", "-f", container).stdout == "begun\ndone\n"
    assert mdock("wait", container).stdout == "3\n"
    assert mdock("logs", "--tail", "1", container).stdout == "done\n"
    assert re.search(rf"^{container} +demo +/bin/sh .* exited +\d+ .* 3$", mdock("ps", "-a").stdout, re.M)
    assert mdock("rm", container).stdout == f"{container}\n"
    assert container not in mdock("ps", "-q").stdout.split()


def test_stop_and_kill_print_the_id_and_an_unknown_id_makes_exit_code_1(mdock: Terminal) -> None:
    ids = [mdock("run", "-d", "demo", "/bin/sleep", "60").stdout.strip() for _ in range(2)]
    stopped = mdock("stop", ids[0], "c999999")
    assert (stopped.returncode, stopped.stdout) == (1, f"{ids[0]}\n")
    assert "[mdock] " in stopped.stderr
    assert "c999999" in stopped.stderr
    assert mdock("kill", "-s", "KILL", ids[1]).stdout == f"{ids[1]}\n"
    assert mdock("wait", *ids).stdout == "143\n137\n"


def test_exec_enters_the_running_container(mdock: Terminal) -> None:
    container = mdock("run", "-d", "demo", "/bin/sleep", "60").stdout.strip()
    result = mdock("exec", "-e", "A=here", container, "--", "/bin/sh", "-c", "echo $A; exit 9")
    assert (result.returncode, result.stdout) == (9, "here\n")
    assert mdock("rm", "-f", container).returncode == 0


def test_inspect_prints_json(mdock: Terminal) -> None:
    container = mdock("run", "-d", "demo", "/bin/true").stdout.strip()
    mdock("wait", container)
    assert isinstance(json.loads(mdock("inspect", container).stdout), dict)
    assert isinstance(json.loads(mdock("inspect", "demo").stdout), dict)


def test_steps_are_shown_on_stderr_after_the_run(mdock: Terminal) -> None:
    result = mdock("run", "--steps", "demo", "/bin/true")
    assert result.returncode == 0
    assert result.stdout == ""
    assert "execve" in result.stderr


def test_snapshots_are_shown_on_stderr_after_the_run(mdock: Terminal) -> None:
    result = mdock("run", "--snapshots", "demo", "/bin/echo", "out")
    assert result.returncode == 0
    assert result.stdout == "out\n"
    assert "AT THE GATE" in result.stderr
    assert "root directory" in result.stderr


def test_doctor_names_the_rung(mdock: Terminal) -> None:
    result = mdock("doctor")
    assert result.returncode == 0
    assert "chroot" in result.stdout


def test_images_lists_demo_and_rmi_refuses_it_while_a_record_uses_it(mdock: Terminal) -> None:
    mdock("run", "demo", "/bin/true")
    assert re.search(r"^demo ", mdock("images").stdout, re.M)
    assert mdock("images", "-q").stdout == "demo\n"
    refused = mdock("rmi", "demo")
    assert refused.returncode == 1
    assert "c" in refused.stderr


def test_every_byte_of_a_large_output_arrives(mdock: Terminal) -> None:
    result = mdock("run", "demo", "/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
    assert result.stdout.splitlines() == [f"line {number}" for number in range(20000)]


def test_ctrl_c_reaches_the_container_and_mdock_exits_with_its_code(mdock: Terminal) -> None:
    process = mdock.start(
        "run", "demo", "/bin/sh", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done",
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=10) == 7
    process.stdout.close()


def _read_until(fd: int, wanted: bytes, limit: float = 15) -> bytes:
    seen, deadline = b"", time.monotonic() + limit
    while wanted not in seen and time.monotonic() < deadline:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                seen += os.read(fd, 4096)
            except OSError:
                break
    return seen


def test_on_a_terminal_run_gives_an_interactive_shell(mdock: Terminal) -> None:
    master, slave = pty.openpty()
    process = mdock.start("run", "demo", stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        _read_until(master, b"# ")
        os.write(master, b"test -t 0 && echo on a ''terminal\n")
        assert b"on a terminal" in _read_until(master, b"on a terminal")
        os.write(master, b"exit 5\n")
        _read_until(master, b"never said", limit=1)
        assert process.wait(timeout=10) == 5
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_dash_it_from_a_pipe_is_refused_with_dockers_words(mdock: Terminal) -> None:
    result = mdock("run", "-it", "demo")
    assert result.returncode == 125
    assert "the input device is not a terminal" in result.stderr
