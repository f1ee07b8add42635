"""``%%sandbox`` in a real kernel: streams, names, options, interrupts, and sudden ends of the kernel."""

from __future__ import annotations

import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until

jupyter_client = pytest.importorskip("jupyter_client")

MARK = "UDOCK_SANDBOX_KERNEL"
ENDLESS = "%%sandbox --timeout 60\nimport os, time\nos.fork()\nos.write(1, b'up\\n')\nwhile True: time.sleep(1)"


class Kernel:
    """A kernel with the extension loaded; ``run`` gives the outputs of a cell."""

    def __init__(self, folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.manager = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=os.environ | {"HOME": str(folder), "UDOCK_SANDBOX_KERNEL": self.mark})
        self.connect()

    def connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        assert self.run("%load_ext udock_lab").status == "ok"

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def run(self, code: str, timeout: float = 60, on_stream: Callable[[], object] = bool) -> Outputs:
        outputs = Outputs(on_stream)
        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=outputs.take)
        outputs.finish(reply["content"])
        return outputs

    def settle(self) -> None:
        """Wait until it runs cells again: what is asked for in the moment of an error is aborted by ipykernel."""
        assert until(lambda: self.run("pass").status == "ok")

    def start(self, code: str) -> None:
        """Run a cell and come back when its first line has arrived."""
        request = self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=30)
            if message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == request:
                return

    def processes(self) -> list[str]:
        """Processes that have this kernel's mark in the environment that they started with."""
        wanted, found = f"{MARK}={self.mark}".encode(), []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(f"{entry.name} {(entry / 'cmdline').read_bytes()[:200]!r}")
            except OSError:
                continue
        return found

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Outputs:
    """What one cell showed."""

    def __init__(self, on_stream: Callable[[], object]) -> None:
        self.on_stream = on_stream
        self.streams = {"stdout": "", "stderr": ""}
        self.plain = self.html = ""
        self.status = self.error = ""

    def take(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            self.streams[content["name"]] += content["text"]
            self.on_stream()
        elif message["msg_type"] in ("execute_result", "display_data"):
            self.plain += content["data"].get("text/plain", "")
            self.html += content["data"].get("text/html", "")
        elif message["msg_type"] == "error":
            self.error = "\n".join(content["traceback"])

    def finish(self, reply: dict[str, Any]) -> None:
        self.status = reply["status"]
        self.ename = reply.get("ename", "")

    @property
    def stdout(self) -> str:
        """Without colours."""
        return re.sub(r"\x1b\[[\d;]*m", "", self.streams["stdout"])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    kernel.run("%%sandbox\npass")  # the launcher is up
    yield kernel
    kernel.close()


@pytest.fixture
def own_kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.close()


def runners(kernel: Kernel) -> list[str]:
    return [line for line in kernel.processes() if "sandbox.runner" in line]


def test_lines_are_marked_with_role_and_pid_and_coloured(kernel: Kernel) -> None:
    seen = kernel.run(
        "%%sandbox\nimport os\npid = os.fork()\nos.write(1, f'{os.getpid()}\\n'.encode())\n"
        "if pid == 0: os._exit(0)\ndone = os.wait()"
    )
    lines = seen.stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == ["child", "parent"]
    for line in lines:
        tag, _, written = line.partition(" │ ")
        assert tag.split()[-1] == written
    assert len(set(re.findall(r"\x1b\[48;5;(\d+)m", seen.streams["stdout"]))) == 2  # a mark for each


def test_first_line_arrives_while_the_code_still_runs(kernel: Kernel, tmp_path: Path) -> None:
    """The code ends when its first line has been seen here."""
    seen_here = tmp_path / "seen"
    code = "import os, time\nprint('first', flush=True)\nwhile not os.path.exists(place): time.sleep(0.01)\nprint('last')"
    kernel.run(f"place = {str(seen_here)!r}")
    seen = kernel.run(f"%%sandbox\n{code}", on_stream=seen_here.touch)
    assert [line.partition("│ ")[2] for line in seen.stdout.splitlines()] == ["first", "last"]


def test_ten_thousand_unbuffered_lines_all_arrive(kernel: Kernel) -> None:
    seen = kernel.run("%%sandbox\nimport os\nfor n in range(10_000): os.write(1, b'%d\\n' % n)")
    assert seen.stdout.count("\n") == 10_000


def test_stdout_and_stderr_stay_apart_and_in_order(kernel: Kernel) -> None:
    seen = kernel.run("%%sandbox\nimport os, time\nos.write(1, b'a\\n')\ntime.sleep(0.1)\n_ = os.write(2, b'b\\n')")
    assert seen.stdout.endswith("│ a\n"), seen.stdout
    assert seen.streams["stderr"].rstrip().endswith("b")


def test_names_of_the_notebook_are_copied_in_and_nothing_comes_back(kernel: Kernel) -> None:
    kernel.run(
        "import math, json as j\nnumber = 20\nsum = lambda *_: 'shadowed'\ndef double(n): return helper(n)\n"
        "def helper(n): return 2 * n\nclass Point:\n  def __init__(self): self.x = 3"
    )
    seen = kernel.run(
        "%%sandbox\nnumber += 1\nprint(double(number), math.floor(2.5), j.dumps([1]), sum([1]), Point().x, __name__)"
    )
    assert seen.stdout.endswith("│ 42 2 [1] shadowed 3 __main__\n"), seen.error
    assert kernel.run("print(number)").stdout == "20\n"
    kernel.run("del sum")


def test_numpy_array_is_copied(kernel: Kernel) -> None:
    pytest.importorskip("numpy")
    kernel.run("import numpy as np\narray = np.arange(5)")
    assert kernel.run("%%sandbox\nprint(array.sum(), np.float64(1))").stdout.endswith("│ 10 1.0\n")


def test_names_that_the_cell_does_not_read_are_not_copied(kernel: Kernel) -> None:
    kernel.run("lines = (n for n in range(3))")
    assert kernel.run("%%sandbox\nlines = 1").status == "ok"
    seen = kernel.run("%%sandbox\nnext(lines)")
    assert "The name 'lines' (generator) cannot be copied into the sandbox" in seen.error
    assert "Traceback" not in seen.error
    assert kernel.run("%%sandbox\nprint('fine')").stdout.endswith("│ fine\n")


def test_result_is_shown_and_kept_under_its_name(kernel: Kernel) -> None:
    seen = kernel.run("%%sandbox -o result --trace\nimport os\nif os.fork() == 0: os._exit(3)\ndone = os.wait()")
    assert "Two processes: parent exited with code 0, child 1 exited with code 3." in seen.plain
    assert "child 1" in seen.html
    kept = kernel.run("print(len(result.processes), result.untraced or result.calls_of('child 1')[-1].name)").stdout
    assert kept.startswith("2 ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--trcae", "unknown option --trcae. Did you mean --trace?"),
        ("--timeout soon", "'soon' is not a number of seconds"),
        ("--timeout 0", "A sandbox ends after some seconds, 3600 at most"),
        ("--timeout 99999", "A sandbox ends after some seconds, 3600 at most"),
        ("--mem 1M", "Python itself needs 64 MiB"),
        ("--procs 0", "0"),
        ("--procs 100000", "1 to 1000 processes"),
        ("-o 1x", "that is no name of Python"),
        ("-o class", "that is no name of Python"),
        ("'", "cannot be split into words"),
        ("print(1)", "the code goes into the lines below"),
    ],
)
def test_wrong_line_is_explained_without_a_traceback(kernel: Kernel, line: str, words: str) -> None:
    seen = kernel.run(f"%%sandbox {line}\npass")
    assert seen.status == "error"
    assert words in seen.error
    assert "Traceback" not in seen.error
    assert len(seen.error.splitlines()) <= 3


def test_help_names_every_option(kernel: Kernel) -> None:
    for code in ("%sandbox --help", "%sandbox", "%%sandbox --help\npass"):
        seen = kernel.run(code)
        for option in ("--trace", "--timeout", "--mem", "--procs", "--out"):
            assert option in seen.stdout


FULL = """
import os, resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
held, said = [], ""
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    get_ipython().run_cell_magic("sandbox", "", "print('ran')")
except Exception as error:
    said = f"{type(error).__name__}: {error}"
finally:
    for number in held:
        os.close(number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(said)
"""


def test_kernel_that_may_open_no_more_files_is_told_so(kernel: Kernel) -> None:
    kernel.run("%%sandbox\npass")  # what is imported on the way is there
    seen = kernel.run(FULL)
    assert "MdockError: " in seen.stdout and "EMFILE" in seen.stdout and "ulimit -n" in seen.stdout
    assert "again" in kernel.run("%%sandbox\nprint('again')").stdout


PASTED = ["    x = 1\n    if x:\n        print('ran', x)\n", ">>> x = 1\n>>> if x:\n...     print('ran', x)\n",
          "In [1]: x = 1\nIn [2]: if x:\n   ...:     print('ran', x)\n", "\tx = 1\n\n\tprint('ran', x)\n"]  # fmt: skip


@pytest.mark.parametrize("code", PASTED)
def test_pasted_code_runs_as_in_any_other_cell(kernel: Kernel, code: str) -> None:
    assert "ran 1" in kernel.run(code).stdout
    assert "ran 1" in kernel.run(f"%%sandbox\n{code}").stdout


def test_lines_of_a_string_stay_as_they_are(kernel: Kernel) -> None:
    assert r"'a\x0cb\n  c\u2028'" in kernel.run('%%sandbox\nprint(repr("""a\fb\n  c\u2028"""))').stdout


def test_syntax_error_is_explained_and_nothing_runs(kernel: Kernel) -> None:
    seen = kernel.run("%%sandbox\nprint('x')\nif True print(1)")
    assert "Python cannot read this code: " in seen.error
    assert "(line 2)" in seen.error
    assert "Nothing was run." in seen.error
    assert seen.stdout == ""
    assert "belong to the notebook" in kernel.run("%%sandbox\n!ls").error
    top = kernel.run("%%sandbox\nimport asyncio\nawait asyncio.sleep(0)").error
    assert "'await' outside function (line 2)" in top and "in a sandbox write asyncio.run(" in top
    assert "asyncio.run" not in kernel.run("%%sandbox\nreturn 3").error


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("return 5", "'return' outside function (line 1)"),
        ("x = 1\ndef f(a, a): pass", "duplicate argument 'a' in function definition (line 2)"),
        ("x = 1\nfrom __future__ import annotations", "must occur at the beginning of the file (line 2)"),
        ("def f():\n    nonlocal x", "no binding for nonlocal 'x' found (line 2)"),
        ("x = " + "-" * 100_000 + "1", "it is nested too deeply"),
        ("x = f" + "()" * 100_000, "it is nested too deeply"),
        ("x = 'a\0b'", "null bytes"),
    ],
    ids=["return", "twice", "future", "nonlocal", "minus", "calls", "nul"],
)
def test_code_that_python_refuses_in_whichever_stage_is_explained_and_not_run(
    kernel: Kernel, code: str, why: str
) -> None:
    seen = kernel.run(f"%%sandbox\n{code}")
    assert f"Python cannot read this code: " in seen.error and why in seen.error, seen.error
    assert "Nothing was run." in seen.error
    assert "Traceback" not in seen.error and "to blame" not in seen.error


def test_error_of_the_code_is_shown_with_its_own_lines_only(kernel: Kernel) -> None:
    seen = kernel.run("%%sandbox\ndef f():\n    return 1 / 0\nf()")
    assert seen.status == "ok"
    assert "ZeroDivisionError: division by zero" in seen.streams["stderr"]
    assert "return 1 / 0" in seen.streams["stderr"]
    assert "runner.py" not in seen.streams["stderr"]
    assert "The code ended with an error: ZeroDivisionError: division by zero" in seen.plain


def test_interrupt_ends_it_without_a_traceback_and_the_kernel_goes_on(kernel: Kernel) -> None:
    kernel.start(ENDLESS)
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=60)["content"]
    assert (reply["status"], reply["ename"]) == ("error", "SandboxInterrupted")
    assert reply["traceback"] == ["KeyboardInterrupt: the sandbox was interrupted, and everything in it has ended."]
    kernel.settle()
    assert kernel.run("%%sandbox\nprint('again')").stdout.endswith("│ again\n")
    assert not runners(kernel)


def test_interrupt_is_a_keyboard_interrupt_that_except_exception_does_not_catch(kernel: Kernel) -> None:
    kernel.start(
        "from udock_lab import sandbox\ntry:\n  sandbox.run('import time\\nprint(1, flush=True)\\ntime.sleep(60)', "
        "on_output=lambda c: print(c.text, flush=True))\nexcept Exception: print('caught')\n"
        "except KeyboardInterrupt as one: print(type(one).__name__)"
    )
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=10)["content"]
    assert reply["status"] == "ok"


def test_run_all_stops_at_an_interrupted_cell(kernel: Kernel) -> None:
    kernel.start(ENDLESS)
    kernel.client.execute("print('next cell')")
    kernel.manager.interrupt_kernel()
    replies = [kernel.client.get_shell_msg(timeout=60)["content"]["status"] for _ in range(2)]
    assert replies == ["error", "aborted"]
    kernel.settle()


def test_kernel_that_is_killed_takes_the_sandbox_with_it(own_kernel: Kernel) -> None:
    own_kernel.start(ENDLESS)
    assert len(own_kernel.processes()) > 3
    os.kill(own_kernel.pid, signal.SIGKILL)
    assert until(lambda: not own_kernel.processes())


def test_restart_takes_the_sandbox_with_it_and_the_next_kernel_works(own_kernel: Kernel) -> None:
    own_kernel.start(ENDLESS)
    own_kernel.client.stop_channels()
    own_kernel.manager.restart_kernel(now=True)
    own_kernel.connect()
    assert until(lambda: not runners(own_kernel))
    assert own_kernel.run("%%sandbox\nprint('fresh')").stdout.endswith("│ fresh\n")


def test_kernel_answers_while_nothing_but_its_sandbox_is_busy(own_kernel: Kernel) -> None:
    """The control thread and the heartbeat go on; that is what the front end looks at."""
    own_kernel.client.execute("%%sandbox --timeout 3\nimport os\nos.write(1, b'up\\n')\nwhile True: os.write(1, b'x' * 65536)")
    own_kernel.client.hb_channel.unpause()
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        assert own_kernel.client.hb_channel.is_beating()
        time.sleep(0.1)  # a while in which no beat may be missing
    reply = own_kernel.client.get_shell_msg(timeout=60)["content"]
    assert reply["status"] == "ok"
