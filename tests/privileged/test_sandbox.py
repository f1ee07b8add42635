"""Hostile and unlucky code in a real sandbox: the notebook's side goes on, nothing stays, one sentence explains."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from udock_lab import LauncherDied, MdockError, UsageError, sandbox
from udock_lab.linux.process import children
from udock_lab.model import OutputChunk, SandboxResult
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.processes import named_trees

MARK = "UDOCK_SANDBOX_TEST"
STALL = 5.0  # seconds for which the notebook's own threads may be held up; a busy machine's hiccup took 1.02
Run = Callable[..., SandboxResult]

FORK_AND_WAIT = """
import os
pid = os.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", "exit 42"])
os.waitpid(pid, 0)
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """``sandbox.run``, and what must hold for every run: our threads are not held up, nothing is left."""
    mark = uuid.uuid4().hex
    the_launcher().start()
    monkeypatch.setenv(MARK, mark)

    def checked(what: Any, *args: object, **options: Any) -> SandboxResult:
        result = sandbox.run(what, *args, **options)
        assert until(lambda: not marked(mark)), marked(mark)
        return result

    with ticking_thread() as gaps:
        yield checked
    assert max(gaps) < STALL
    assert not list(Path(tempfile.gettempdir()).glob("udock-sandbox-*"))


@contextmanager
def ticking_thread() -> Iterator[list[float]]:
    """Let a thread of ours tick; the seconds for which it was held up each time, by whoever keeps Python's lock.

    What it or the test's thread waited for a processor is the busy machine's doing, and does not count.
    """
    gaps, done, the_tests = [0.0], threading.Event(), threading.get_native_id()

    def now() -> float:
        return time.monotonic() - queued(the_tests) - queued(threading.get_native_id())

    def tick() -> None:
        last = now()
        while not done.wait(0.01):
            gaps.append(now() - last)
            last = now()

    ticker = threading.Thread(target=tick)
    ticker.start()
    assert until(lambda: len(gaps) > 1)
    try:
        yield gaps
    finally:
        done.set()
        ticker.join()


def queued(thread: int) -> float:
    """Seconds that a thread of ours has been ready to run, and not run (schedstat: the kernel's sched-stats.rst)."""
    try:
        return int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[1]) / 1e9
    except OSError:  # a kernel without these numbers
        return 0.0


def marked(mark: str) -> list[str]:
    """Processes that have this mark in the environment they started with: all of the sandbox."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(entry.name)
            except OSError:
                continue
    return found


# Root is stopped at that number; the kernel itself refuses an ordinary user one more (RLIMIT_NPROC, setrlimit(2)).
TOO_MANY = ("more than 64 processes at once", "fork was refused with EAGAIN: more than 64 processes at once")
HOSTILE = {
    "fork bomb": ("import os\nwhile True: os.fork()", {}, TOO_MANY),
    "fork bomb whose processes leave the group": (
        "import os\nwhile True:\n  if os.fork() == 0:\n    os.setsid()",
        {},
        TOO_MANY,
    ),
    "endless loop with every signal blocked": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: pass",
        {"timeout": 1},
        "stopped after 1 s: parent had not ended",
    ),
    "endless loop of children": (
        "import os\nwhile True:\n  if os.fork() == 0: os._exit(0)\n  os.wait()",
        {"timeout": 1},
        "stopped after 1 s: parent",
    ),
    "os._exit in the parent": ("import os\nprint('lost')\nos._exit(7)", {}, "the first process left with os._exit(7)"),
    "closing every descriptor": ("import os\nos.closerange(0, 65536)", {}, "one process; it exited with code 0."),
    "closing every descriptor before the last flush": (
        "import os\nprint('lost')\nos.closerange(0, 65536)",
        {},
        "the code came to its end, and then Python could not write what print had collected (exit code 120)",
    ),
    "1 GB of output": (
        "import os\nfor _ in range(16384): os.write(1, b'x' * 65536)",
        {"timeout": 20},
        "one process; it exited with code 0.",
    ),
    "double-forked daemon": (
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(60)\n  os._exit(0)\nos.wait()",
        {},
        "child 1.1 was still running half a second after",
    ),
    "process whose first thread has ended": (
        "import ctypes, os, threading, time\nif os.fork() == 0:\n  os.setsid()\n"
        "  threading.Thread(target=time.sleep, args=(60,)).start()\n  ctypes.CDLL(None).pthread_exit(None)\n"
        "time.sleep(0.3)",
        {"watch": False},
        "child 1 was still running half a second after",
    ),
    "4 GB of memory": ("block = bytearray(4 << 30)", {}, "out of memory: a process may have 2048 MiB"),
    "SIGSTOP to itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        {"timeout": 1},
        "stopped after 1 s: parent had not ended, and everything was killed; the parent was stopped by ",
    ),
    "child that raises": ("import os\nif os.fork() == 0: 1 / 0\nos.wait()", {}, "child 1 raised ZeroDivisionError"),
    "child that calls sys.exit": (
        "import os, sys\nif os.fork() == 0: sys.exit(3)\nos.wait()",
        {},
        "child 1 left with sys.exit",
    ),
    "child that falls through": (
        "import os\nif os.fork() == 0:\n  pass\nelse:\n  os.wait()",
        {},
        "the child ran on and finished the cell too: two processes went on after fork, to the last line.",
    ),
    "pipe whose write end the parent keeps": (
        "import os\nr, w = os.pipe()\nif os.fork() == 0: os._exit(0)\nos.read(r, 1)",
        {"timeout": 1},
        "stopped after 1 s: parent had not ended, and everything was killed; the parent was waiting in read(3).",
    ),
    "no descriptor left": (
        "import os\nwhile True: os.dup(1)",
        {},
        "the code ended with an error: OSError: [Errno 24] Too many open files",
    ),
    "deep recursion": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        {"timeout": 5},
        "",
    ),
    "crash": ("import ctypes\nctypes.string_at(0)", {}, "the parent was ended by SIGSEGV."),
    "raising at exit": ("import atexit\natexit.register(lambda: 1 / 0)", {}, "one process; it exited with code 0."),
    "standard output replaced": ("import sys\nsys.stdout = None\nsys.stderr = None\n1 / 0", {}, "the code ended with an"),
    "signal handlers for all": (
        "import signal, time\nfor n in signal.valid_signals() - {9, 19, 32, 33}: signal.signal(n, lambda *_: None)\n"
        "while True: time.sleep(1)",
        {"timeout": 1},
        "stopped after 1 s",
    ),
    "file without end": (
        "with open('big', 'wb') as f:\n  while True: f.write(b'x' * (1 << 20))",
        {},
        "the code ended with an error: OSError: [Errno 27] File too large",
    ),
    "input from nobody": ("input()", {}, "nothing came from input() (EOFError)"),
    "worker that is a Python started anew": (
        "import multiprocessing as m\ndef double(x): return 2 * x\n"
        "with m.get_context('spawn').Pool(1) as pool: print(pool.map(double, [1]))",
        {"timeout": 4},
        "a worker process of multiprocessing found no 'double'",
    ),
    "worker of one Process started anew": (
        "import multiprocessing as m\ndef double(): pass\n"
        "p = m.get_context('forkserver').Process(target=double)\np.start(); p.join()",
        {},
        "a worker process of multiprocessing found no 'double': it is a Python started anew",
    ),
    "error whose text raises": (
        "class E(Exception):\n  def __str__(self): raise ValueError\nraise E",
        {},
        "the code ended with an error: E: (its __str__ raised ValueError)",
    ),
    "threads that never end": (
        "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(60,)).start()",
        {"timeout": 1},
        "stopped after 1 s: parent had not ended",
    ),
    "exec without fork": (
        "import os\nos.execv('/bin/echo', ['echo', 'x'])",
        {},
        "the first process itself became /bin/echo",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_ends_and_one_sentence_says_how(run: Run, name: str) -> None:
    source, options, sentence = HOSTILE[name]
    result = run(source, **options)
    assert result.verdict.startswith(sentence), result
    assert run("print(1 + 1)").lines == ("2",)


SHARED_MEMORY = """
import os, mmap, time
for _ in range(4):
    if os.fork() == 0:
        block = mmap.mmap(-1, 400 << 20)
        for at in range(0, len(block), 4096):
            block[at] = 1
        time.sleep(60)
time.sleep(60)
"""
FILES_IN_MEMORY = """
import os, time
for _ in range(8):
    fd = os.memfd_create("x")
    for _ in range(200):
        os.write(fd, bytes(1 << 20))
time.sleep(60)
"""


@pytest.mark.parametrize("source", [SHARED_MEMORY, FILES_IN_MEMORY], ids=["mappings", "memfds"])
def test_memory_that_is_nobody_s_own_counts_behind_walls(run: Run, source: str) -> None:
    result = run(source, shut=True, watch=False, timeout=30)
    if result.missing_isolation:
        pytest.skip("needs privilege: walls around graded code")
    assert result.ended_by == "memory"
    assert "memory in all" in result.verdict


def test_output_without_end_is_cut_and_the_loss_is_said(run: Run) -> None:
    result = run("import os\nfor _ in range(1000): os.write(1, b'x' * 10000)")
    assert len(result.stdout) == 256 * 1024
    assert result.notes == ("10,000,000 bytes were written; the first 262,144 are shown.",)


@pytest.mark.parametrize("target", ["-1", "kernel", "launcher", "keeper"])
def test_signals_to_the_outside_are_held_off(run: Run, target: str) -> None:
    if run("pass").guard == "none":
        pytest.skip("needs privilege: this machine has neither Landlock's signal scope nor seccomp")
    pid = {"-1": "-1", "kernel": str(os.getpid()), "launcher": str(the_launcher().pid)}
    whom = pid.get(target, "int(open(f'/proc/{os.getpid()}/stat').read().rpartition(')')[2].split()[1])")
    source = f"import os\ntry: print(os.kill({whom}, 9))\nexcept PermissionError as refused: print(refused)"
    result = run(source)
    assert result.exit_status is not None
    assert result.exit_status.raw == 0, result
    if target == "-1":
        assert result.verdict.startswith("the code called kill(-1, ...): every process you may signal, this notebook")
    else:
        assert result.stdout == "[Errno 1] Operation not permitted\n"


# For code in the sandbox. Where more descriptors are on their way than the kernel lets a user have (unix(7)), again.
SEND = """
import array, errno, socket
def send(sock, data, fds):
    while True:
        try:
            return sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        except OSError as refused:
            if refused.errno != errno.ETOOMANYREFS:
                raise
"""


def test_junk_on_the_sandbox_s_own_channel_changes_nothing(run: Run) -> None:
    source = """
import os
sock = socket.socket(fileno=200)
r, w = os.pipe()
for junk in (b"x", b"[]", b"[1]", b"{}", b'{"is":"hello"}', b'{"is":"ready"}', b'{"is":"forked"}', b'{"is":"ended"}',
             b'{"is":"forked","by":1,"number":1}', b'{"is":"forked","by":%d,"number":999}' % os.getpid(),
             b'{"is":"files","files":{}}', b'{"is":"asked","ask":{"file":"uid_map","rule":"identity"}}',
             b'{"is":"execs"}', b'{"is":"guard","by":"none"}', b'{"is":"kills"}' * 1000, b"[" * 60000, b"",
             b"\\x00in-memfd"):
    sock.send(junk)
for _ in range(300):
    send(sock, b"\\x00in-memfd", [r] * 100)
print("sent", flush=True)
sock.shutdown(socket.SHUT_RDWR)
"""
    result = run(SEND + source)
    assert result.stdout == "sent\n"
    assert result.guard != "none" or run("pass").guard == "none"
    assert [process.role for process in result.processes] == ["parent"]


def test_descriptors_sent_over_standard_output_are_not_kept(run: Run) -> None:
    source = """
sock = socket.socket(fileno=1)
for _ in range(200):
    send(sock, b".", [2] * 200)
"""
    assert run(SEND + source).stdout == "." * 200


def test_scratch_folder_is_removed_whatever_is_in_it(run: Run) -> None:
    source = """
import os
for n in range(3000): open(f"f{n}", "w").close()
os.symlink("/etc", "link"); os.mkfifo("fifo")
os.makedirs("closed/inside"); open("closed/inside/file", "w").close(); os.chmod("closed", 0)
top = os.getcwd()
for n in range(1500): os.mkdir("d"); os.chdir("d")
os.chdir(top)
"""
    result = run(source, timeout=20)
    assert result.verdict == "one process; it exited with code 0."
    assert os.path.isdir("/etc")


def test_small_files_of_the_scratch_folder_come_back(run: Run) -> None:
    source = "open('a', 'wb').write(b'\\xff\\n')\nopen('big', 'wb').write(bytes(100_000))\nimport os; os.mkdir('d')"
    assert run(source).files == {"a": b"\xff\n"}


# --- what the evidence says


def test_first_line_streams_while_the_code_still_runs(run: Run, tmp_path: Path) -> None:
    """The code ends when its first line has been heard."""
    source = "import os, time\nprint('x', flush=True)\nwhile not os.path.exists('heard'): time.sleep(0.01)\nprint('y')"
    result = run(source, cwd=tmp_path, on_output=lambda _: (tmp_path / "heard").touch())
    assert result.lines == ("x", "y")


def test_lines_carry_pid_and_role_of_their_writer(run: Run) -> None:
    source = "import os\nfor n in range(50):\n  if os.fork() == 0:\n    os.write(1, b'%d\\n' % n)\n    os._exit(n)\nfor n in range(50): os.wait()"
    result = run(source)
    assert {chunk.role for chunk in result.output} == {f"child {n}" for n in range(1, 51)}
    for chunk in result.output:
        process = result.process(chunk.role)
        assert (chunk.pid, chunk.text) == (process.pid, f"{int(chunk.role[6:]) - 1}\n")
    if not result.untraced:
        assert [process.status.code for process in result.children if process.status] == list(range(50))


@pytest.mark.parametrize("watch", [True, False])
def test_roles_are_the_same_at_each_run(run: Run, watch: bool) -> None:
    source = """
import os, subprocess
subprocess.run(["/bin/sh", "-c", "exit 1"])
for n in range(3):
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(1, b"grandchild\\n"); os._exit(0)
        os.wait(); os.write(1, b"child\\n"); os._exit(0)
for n in range(3): os.wait()
"""
    seen = set()
    for _ in range(4):
        result = run(source, watch=watch)
        seen.add(tuple(sorted((chunk.role, chunk.text) for chunk in result.output)))
    if watch:
        assert seen == {
            tuple(sorted((f"child {n}{g}", "grandchild\n" if g else "child\n") for n in (2, 3, 4) for g in ("", ".1")))
        }
    else:  # who was made by vfork and collected at once was seen by nobody
        assert all(len(roles) == 6 for roles in seen)


def test_statuses_of_children_come_from_strace_although_their_parent_collected_them(run: Run) -> None:
    result = run(FORK_AND_WAIT)
    if result.untraced:
        pytest.skip(f"needs privilege: {result.untraced}")
    child = result.process("child 1")
    assert (child.status and child.status.code, child.program, child.parent) == (42, "/bin/sh", result.parent.pid)


def test_without_strace_the_status_is_not_made_up(run: Run) -> None:
    from udock_lab.display.text.sandbox import sandbox_text

    result = run(FORK_AND_WAIT, watch=False)
    assert result.process("child 1").status is None
    assert "child 1  ended; nobody here saw how, as /bin/sh" in sandbox_text(result)
    assert result.untraced == "nobody was asked to watch"


def test_subprocess_is_a_process_with_its_program(run: Run) -> None:
    result = run("import subprocess\nsubprocess.run(['/bin/sh', '-c', 'exit 3'])")
    assert result.audits[:1] == ("subprocess.Popen",)
    if not result.untraced:
        assert [(p.role, p.program, p.status and p.status.code) for p in result.children] == [("child 1", "/bin/sh", 3)]


def test_threads_are_no_processes_and_their_calls_belong_to_their_process(run: Run) -> None:
    source = "import threading, os\nt = threading.Thread(target=lambda: os.chdir('/'))\nt.start()\nt.join()"
    result = run(source, trace=True)
    assert len(result.processes) == 1
    if not result.untraced:
        assert [call.pid for call in result.calls if call.name == "chdir"] == [result.parent.pid]


def test_program_that_forks_by_itself_has_children_with_roles(run: Run) -> None:
    result = run(
        "import subprocess\ndone = subprocess.run(['/bin/sh', '-c', '(echo inner; exit 4) & wait; echo outer'])"
    )
    roles = {chunk.text: chunk.role for chunk in result.output}
    if not result.untraced:
        assert roles == {"inner\n": "child 1.1", "outer\n": "child 1"}


def test_trace_begins_with_the_learner_s_code_and_knows_failures(run: Run) -> None:
    result = run("import os\ntry: os.chroot('/no/such')\nexcept OSError: pass", trace=True)
    if result.untraced:
        pytest.skip(f"needs privilege: {result.untraced}")
    (call,) = [call for call in result.calls if call.name == "chroot"]
    assert (call.errno, call.arguments) == ("ENOENT", '"/no/such"')
    assert not [call for call in result.calls if call.name == "execve"]
    assert 0 <= call.start < 5e9


def test_bytes_that_are_no_text_and_characters_in_two_pieces(run: Run) -> None:
    source = "import os, time\nos.write(1, b'\\xff \\xc3')\ntime.sleep(0.2)\n_ = os.write(1, b'\\xa9\\n')"
    assert run(source).stdout == "\ufffd é\n"


def test_line_longer_than_a_datagram_arrives_whole(run: Run) -> None:
    assert run("print('y' * 200_000)").lines == ("y" * 200_000,)


def test_value_of_a_function_comes_back_as_plain_data(run: Run) -> None:
    assert run(lambda n: {"squares": [i * i for i in range(n)]}, 4).value == {"squares": [0, 1, 4, 9]}
    assert run(lambda: list(range(50_000))).value == list(range(50_000))
    assert run(lambda: object).value == "<class 'object'>"


# --- what goes in


def test_names_are_copied_functions_and_modules_too(run: Run) -> None:
    import json

    def double(n: int) -> int:
        return 2 * n

    names = {"double": double, "json": json, "data": {"a": [1]}, "list": 5}
    source = "data['a'].append(2)\nprint(json.dumps(data), double(21), list, __name__)"
    assert run(source, names=names).stdout == '{"a": [1, 2]} 42 5 __main__\n'
    assert names["data"] == {"a": [1]}


def test_large_array_is_copied(run: Run) -> None:
    numpy = pytest.importorskip("numpy")
    block = numpy.ones(50_000_000 // 8)
    assert run("print(block.sum())", names={"block": block}).stdout == "6250000.0\n"


def test_name_that_cannot_be_copied_is_named_with_a_way_out(run: Run) -> None:
    with pytest.raises(UsageError, match=r"The name 'numbers' .* cannot be copied into the sandbox") as refused:
        run("numbers", names={"numbers": (n for n in range(3))})
    assert "Make 'numbers' inside the code" in str(refused.value)


def test_names_that_do_not_fit_are_refused_with_a_way_out(run: Run) -> None:
    with pytest.raises(UsageError, match=r"need more than 64 MiB") as refused:
        run("len(block)", names={"block": bytes(80 << 20)}, memory=64 << 20)
    assert "--mem" in str(refused.value)


def test_name_that_cannot_be_unpacked_is_no_traceback(run: Run) -> None:
    class Broken:
        def __reduce__(self) -> tuple[Any, ...]:
            return eval, ("1 / 0",)

    with pytest.raises(MdockError, match="could not be prepared: ZeroDivisionError"):
        run("x", names={"x": Broken()})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "ends after some seconds"),
        ({"timeout": 1e9}, "3600 at most"),
        ({"timeout": float("nan")}, "ends after some seconds"),
        ({"memory": 1 << 20}, "64 MiB"),
        ({"processes": 0}, "1 to 1000"),
        ({"processes": 10**6}, "1 to 1000"),
        ({"cwd": "/no/such"}, "There is no folder '/no/such'"),
    ],
)
def test_bounds_beyond_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sandbox.run("pass", **options)


def test_code_that_python_cannot_read_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match=r"Python cannot read this code: .*line 2"):
        sandbox.run("x = 1\ny = (")
    with pytest.raises(UsageError, match="belong to the notebook"):
        sandbox.run("!ls")


def test_future_annotations_of_ours_do_not_leak_into_the_code(run: Run) -> None:
    assert run("def f(n: int): pass\nprint(f.__annotations__)").stdout == "{'n': <class 'int'>}\n"


def test_last_expression_shows_its_value_as_in_a_notebook(run: Run) -> None:
    assert run("x = 20\nx + 1").stdout == "21\n"
    assert run("None").stdout == ""


def test_working_directory_may_be_chosen(run: Run, tmp_path: Path) -> None:
    result = run("import os\nopen('made', 'w').close()\nprint(os.getcwd())", cwd=tmp_path)
    assert result.stdout == f"{tmp_path}\n"
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasync def f():\n  await asyncio.sleep(0.01)\n  print('ok')\nasyncio.run(f())",
        "import threading\nt = threading.Thread(target=lambda: print('ok'))\nt.start()\nt.join()",
        "import subprocess\ndone = subprocess.run(['/bin/echo', 'ok'])",
        "import multiprocessing as m\ndef f(q): q.put('ok')\nif __name__ == '__main__':\n  c = m.get_context('fork')\n"
        "  q = c.Queue()\n  p = c.Process(target=f, args=(q,))\n  p.start()\n  print(q.get())\n  p.join()",
        "import os, sys\nif os.fork() == 0:\n  os.setsid()\n  os.write(1, b'ok\\n')\n  os._exit(0)\nos.wait()\nsys.exit(0)",
    ],
)  # fmt: skip
def test_ways_to_do_several_things_at_once_work(run: Run, source: str) -> None:
    result = run(source)
    assert result.stdout == "ok\n", result


def test_learner_keeps_uid_and_gid(run: Run) -> None:
    assert run("import os\nprint(os.getuid(), os.getgid())").stdout == f"{os.getuid()} {os.getgid()}\n"


def test_user_namespace_of_one_s_own_gives_chroot_back(run: Run) -> None:
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) != 0: print("refused")
else:
    os.chroot("/tmp"); print("inside")
"""
    result = run(source)
    if result.stdout == "refused\n":
        pytest.skip("needs privilege: user namespaces are refused here")
    assert result.stdout == "inside\n", result.stderr


# --- who may call


def test_two_sandboxes_at_once_do_not_mix(run: Run) -> None:
    results: dict[int, SandboxResult] = {}
    source = "import os\nfor _ in range(3):\n  if os.fork() == 0:\n    print(n); import sys; sys.stdout.flush(); os._exit(n)\n  os.wait()"

    def one(n: int) -> None:
        results[n] = sandbox.run(source, names={"n": n})

    threads = [threading.Thread(target=one, args=(n,)) for n in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in (3, 4):
        assert results[n].lines == (str(n),) * 3
        assert len(results[n].processes) == 4


def test_plain_script_may_call_it_and_leaves_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from udock_lab import sandbox\n"
        "def f(n): return n + 1\n"
        "print(sandbox.run(f, 41).value)\n"
        "print(sandbox.run('import os; os.fork()').verdict)\n"
    )
    mark = uuid.uuid4().hex
    done = subprocess.run(
        [sys.executable, str(script)], env=os.environ | {MARK: mark}, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.splitlines()[0] == "42", done.stderr
    assert done.stdout.splitlines()[1].startswith("the child ran on")
    assert until(lambda: not marked(mark))


def test_caller_that_is_killed_takes_the_sandbox_with_it(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    code = "from udock_lab import sandbox\nsandbox.run('print(1, flush=True)\\nimport time\\nwhile True: time.sleep(1)', on_output=lambda _: print(1, flush=True))"
    caller = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {MARK: mark}, stdout=subprocess.PIPE)
    assert caller.stdout is not None
    caller.stdout.readline()
    caller.kill()
    caller.wait()
    caller.stdout.close()
    assert until(lambda: not marked(mark))


def test_callback_that_raises_ends_the_sandbox(run: Run) -> None:
    def fail(_: OutputChunk) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run("print(1, flush=True)\nimport time\ntime.sleep(60)", on_output=fail)
    assert until(lambda: not marked(os.environ[MARK]))


def test_keeper_that_is_killed_is_an_error_and_leaves_nothing(run: Run) -> None:
    def kill_keeper(_: OutputChunk) -> None:
        keepers = [p for p in children(the_launcher().pid or 0) if b"keeper" in Path(f"/proc/{p}/cmdline").read_bytes()]
        for keeper in keepers:  # none when a second chunk of output comes
            os.kill(keeper, 9)

    with pytest.raises(LauncherDied, match=r"keeper is gone"):
        run("import os\nos.fork()\nprint(1, flush=True)\nimport time\ntime.sleep(60)", on_output=kill_keeper)
    assert until(lambda: not marked(os.environ[MARK]))
    assert run("1 + 1").stdout == "2\n"


def test_process_tree_knows_the_keeper_by_its_name(run: Run, tmp_path: Path) -> None:
    seen: list[str] = []

    def look(_: OutputChunk) -> None:
        launcher = the_launcher().pid
        assert launcher is not None
        kernel, *_others = named_trees(os.getpid(), launcher, {})
        (its,) = [node for node in kernel.children if node.role == "launcher"]
        seen.extend(node.role for node in its.children)
        (tmp_path / "looked").touch()

    source = "import os, time\nprint('here', flush=True)\nwhile not os.path.exists('looked'): time.sleep(0.01)"
    run(source, cwd=tmp_path, on_output=look)
    assert sorted(set(seen)) == ["forker", "sandbox"]
