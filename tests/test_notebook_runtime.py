"""The runtime under a real notebook kernel: interrupt, restart, shutdown, a flood of output."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from waiting import sleeps, until, watches

from udock_lab import Runtime
from udock_lab.linux.process import descendants, state
from udock_lab.runtime.state.lock import locked

jupyter_client = pytest.importorskip("jupyter_client")


class Kernel:
    """One kernel and a client that sends cells to it."""

    def __init__(self) -> None:
        self.manager = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.connect()
        self.run("%load_ext udock_lab")
        self.run("from udock_lab import Runtime; runtime = Runtime()")

    def connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def run(self, code: str, hook: Callable[[Any], None] | None = None) -> str:
        """Run a cell to its end; what it wrote to stdout. AssertionError if it raised."""
        text: list[str] = []

        def listen(message: Any) -> None:
            if hook is not None:
                hook(message)
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                text.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, timeout=90, output_hook=listen)
        while reply["content"]["status"] == "aborted":  # the kernel still sweeps away what stood behind a failed cell
            reply = self.client.execute_interactive(code, timeout=90, output_hook=listen)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(text)

    def begin(self, code: str) -> str:
        return str(self.client.execute(code))

    def reply(self, message_id: str, timeout: float = 60) -> Any:
        while True:
            message = self.client.get_shell_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") == message_id:
                return message["content"]

    def streams(self, message_id: str) -> dict[str, str]:
        """What a cell wrote, until the kernel is idle again."""
        said = {"stdout": "", "stderr": ""}
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            content = message["content"]
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "stream":
                said[content["name"]] += content["text"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return said

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(home: Path, runtime: Runtime) -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


def says(runtime: Runtime, word: bytes) -> int:
    """Wait until the last container's program has said it; its process."""
    assert until(lambda: runtime.ps(running=True) and runtime.logs(runtime.ps(running=True)[-1].id).endswith(word))
    return runtime.ps(running=True)[-1].record.pid


def go_on(runtime: Runtime) -> None:
    """Let a program in the image demo that waits for /tmp/go go on."""
    place = Path(runtime.home.image_rootfs("demo"), "tmp")
    place.mkdir(exist_ok=True)
    (place / "go").touch()


def commands_below(pid: int) -> list[bytes]:
    """What a process's descendants run."""
    found = []
    for below in descendants(pid):
        with suppress(OSError):
            found.append(Path(f"/proc/{below}/cmdline").read_bytes().replace(b"\0", b" ").strip())
    return found


def gone(pid: int) -> bool:
    """Ended: no such process, or a zombie that waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_interrupt_stops_the_foreground_container_and_the_kernel_goes_on(kernel: Kernel, runtime: Runtime) -> None:
    kernel.run("runtime.run('demo', ['/bin/true'])")
    message = kernel.begin("result = runtime.run('demo', ['/bin/sh', '-c', 'echo up; sleep 60; sleep 60'])")
    pid = says(runtime, b"up\n")
    kernel.manager.interrupt_kernel()
    assert until(lambda: gone(pid))
    reply = kernel.reply(message)
    assert reply["status"] == "error", "Run All must stop here"
    assert (reply["ename"], reply["evalue"]) == ("Interrupted", "c2 was interrupted: exit 130")
    assert reply["traceback"] == ["KeyboardInterrupt: c2 was interrupted: exit 130", "What it wrote: %mdock logs c2"]
    assert kernel.run("print(runtime.run('demo', ['/bin/sh', '-c', 'exit 4']).exit_code)") == "4\n"
    assert runtime.ps()[1].record.exit_code == 130


def test_second_interrupt_kills_what_ignored_the_first(kernel: Kernel, runtime: Runtime) -> None:
    script = "trap 'echo ignored' INT; echo up; while :; do sleep 0.1; done"
    message = kernel.begin(f"runtime.run('demo', ['/bin/sh', '-c', {script!r}])")
    pid = says(runtime, b"up\n")
    kernel.manager.interrupt_kernel()
    says(runtime, b"ignored\n")
    assert not gone(pid)
    kernel.manager.interrupt_kernel()
    assert until(lambda: gone(pid))
    assert kernel.reply(message)["evalue"] == "c1 was interrupted: exit 137"
    assert kernel.run("print(1 + 1)") == "2\n"
    assert runtime.ps()[0].record.exit_code == 137


def test_interrupt_of_a_magic_shows_output_and_one_note_and_stops_run_all(kernel: Kernel, runtime: Runtime) -> None:
    code = "%mdock run demo -- /bin/sh -c 'echo before; sleep 60'\nprint('went on')"
    message = kernel.begin(code)
    says(runtime, b"before\n")
    kernel.manager.interrupt_kernel()
    said = kernel.streams(message)
    assert kernel.reply(message)["ename"] == "Interrupted"
    assert not runtime.ps(running=True), "recorded before the cell ended"
    assert said["stdout"] == "before\n"
    assert said["stderr"].count("[mdock] c1 was interrupted: exit 130 (128 + SIGINT)\n") == 1
    assert "Traceback" not in said["stderr"]
    assert kernel.run("print(2 + 2)") == "4\n"


@pytest.mark.parametrize(("words", "said"), [("wait c1", "mdock wait"), ("exec c1 sleep 61", "exec in c1")])
def test_interrupt_beside_a_container_leaves_it_running_and_shows_no_traceback(
    kernel: Kernel, runtime: Runtime, words: str, said: str
) -> None:
    kernel.run("%mdock run -d demo sleep 60")
    message = kernel.begin(f"%mdock {words}")
    if words.startswith("wait"):
        assert until(lambda: watches(kernel.pid, runtime.ps()[0].record.pid))
    else:
        assert until(lambda: b"sleep 61" in commands_below(kernel.pid))
    kernel.manager.interrupt_kernel()
    reply = kernel.reply(message)
    assert reply["ename"] == "Interrupted" and reply["evalue"].startswith(f"{said} was interrupted")
    assert len(reply["traceback"]) == 1
    assert runtime.ps(running=True)[0].id == "c1"


def test_interrupt_while_the_home_is_locked_starts_nothing_and_harms_nothing(kernel: Kernel, runtime: Runtime) -> None:
    kernel.run("runtime.run('demo', ['/bin/true'])")
    with locked(runtime.home):
        before = len(os.listdir(f"/proc/{kernel.pid}/fd"))
        message = kernel.begin("%mdock run demo -- /bin/true")
        # It has opened what a run needs, and sleeps: it has asked, and waits for the answer.
        assert until(lambda: len(os.listdir(f"/proc/{kernel.pid}/fd")) > before and sleeps(kernel.pid))
        kernel.manager.interrupt_kernel()
        reply = kernel.reply(message)
    assert reply["ename"] == "Interrupted" and "nothing was started" in reply["evalue"]
    assert kernel.run("r = %mdock run demo -- /bin/sh -c 'exit 4'\nprint(r.id, r.exit_code)") == "c2 4\n"


def test_interrupt_after_the_end_does_not_wait_for_a_locked_home(kernel: Kernel, runtime: Runtime) -> None:
    message = kernel.begin("%mdock run demo sleep 1")
    assert until(lambda: runtime.ps(running=True))
    with locked(runtime.home):
        pid = runtime.ps(running=True)[0].record.pid
        assert until(lambda: gone(pid))
        kernel.manager.interrupt_kernel()
        said = kernel.streams(message)
        assert kernel.reply(message)["ename"] == "Interrupted"
    assert "the end of c1 is not recorded yet" in said["stderr"]
    assert until(lambda: runtime.ps()[0].record.exit_code == 0)


def test_interrupt_of_a_flood_says_where_the_rest_of_it_is(kernel: Kernel, runtime: Runtime) -> None:
    message = kernel.begin("%mdock run demo yes")
    log = Path(runtime.home.path, "logs/c1.log")
    assert until(lambda: log.exists() and log.stat().st_size > 4 << 20)  # more than a cell shows
    kernel.manager.interrupt_kernel()
    said = kernel.streams(message)
    assert "[mdock] output continues in logs/c1.log — %mdock logs c1\n" in said["stderr"]
    assert kernel.reply(message)["evalue"] == "c1 was interrupted: exit 130"


def test_interrupt_ends_a_program_that_has_stopped_itself(kernel: Kernel, runtime: Runtime) -> None:
    message = kernel.begin("%mdock run demo -- /bin/sh -c 'kill -STOP $$; sleep 60'")
    assert until(lambda: runtime.ps(running=True) and state(runtime.ps(running=True)[0].record.pid) == "T")
    kernel.manager.interrupt_kernel()
    assert kernel.reply(message)["evalue"] == "c1 was interrupted: exit 130"


def test_program_that_ends_well_on_an_interrupt_still_stops_run_all(kernel: Kernel, runtime: Runtime) -> None:
    message = kernel.begin(
        "%mdock run demo -- /bin/sh -c 'trap \"echo bye; exit 0\" INT; echo up; while :; do sleep 0.05; done'"
    )
    says(runtime, b"up\n")
    kernel.manager.interrupt_kernel()
    assert kernel.streams(message)["stdout"] == "up\nbye\n"
    assert kernel.reply(message)["evalue"] == "c1 was interrupted: exit 0"


@pytest.mark.parametrize("ending", ["restart", "shutdown", "kill"])
def test_detached_container_outlives_its_kernel_and_the_launcher_does_not_outlive_it(
    kernel: Kernel, runtime: Runtime, ending: str
) -> None:
    launcher = int(
        kernel.run(
            "runtime.run('demo', ['/bin/sh', '-c', 'until test -e /tmp/go; do sleep 0.05; done; echo end; exit 9'], detach=True)\n"
            "print(runtime.launcher_pid)"
        )
    )
    assert not gone(launcher)
    if ending == "restart":
        kernel.client.stop_channels()
        kernel.manager.restart_kernel()
        kernel.connect()
        assert kernel.run("print(3 + 3)") == "6\n"
    else:
        kernel.manager.shutdown_kernel(now=ending == "kill")
    go_on(runtime)
    assert runtime.wait("c1").exit_code == 9
    assert runtime.logs("c1") == b"end\n"
    assert until(lambda: gone(launcher))


def test_foreground_container_ends_with_its_kernel(kernel: Kernel, runtime: Runtime) -> None:
    kernel.begin("runtime.run('demo', ['/bin/sh', '-c', 'echo up; exec sleep 60'])")
    says(runtime, b"up\n")
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    assert until(lambda: runtime.ps()[0].record.end_time)
    assert runtime.ps()[0].record.exit_code == 143


def test_hundred_megabytes_go_through_a_cell_and_are_whole_in_the_log(kernel: Kernel, runtime: Runtime) -> None:
    shown = kernel.run("%mdock run demo -- /bin/sh -c 'yes 123456789 | head -c 104857600'")
    log = Path(runtime.home.container_log("c1"))
    assert log.stat().st_size == 104857600
    assert log.read_bytes().count(b"123456789\n") == 10485760
    assert len(shown) < 5 << 20, "the cell is capped"
    assert kernel.run("print(5 + 5)") == "10\n"
    log.unlink()


def test_output_arrives_while_the_program_still_runs(kernel: Kernel, runtime: Runtime) -> None:
    """It ends when its first word has been seen here."""

    def listen(message: Any) -> None:
        if message["msg_type"] == "stream" and "early" in message["content"]["text"]:
            go_on(runtime)

    code = "%mdock run demo -- /bin/sh -c 'echo early; until test -e /tmp/go; do sleep 0.05; done; echo late'"
    assert kernel.run(code, listen) == "early\nlate\n"


def test_container_runs_from_a_background_thread_of_the_kernel(kernel: Kernel) -> None:
    code = (
        "import threading\nfound = []\n"
        "t = threading.Thread(target=lambda: found.append(runtime.run('demo', ['/bin/sh', '-c', 'exit 6'])))\n"
        "t.start(); t.join(); print(found[0].exit_code)"
    )
    assert kernel.run(code) == "6\n"


def test_subprocess_and_shell_escapes_still_work_beside_containers(kernel: Kernel) -> None:
    code = (
        "import subprocess\n"
        "codes = [subprocess.run(['sh', '-c', 'exit 3']).returncode, runtime.run('demo', ['/bin/true']).exit_code]\n"
        "print(codes)"
    )
    assert kernel.run(code) == "[3, 0]\n"
