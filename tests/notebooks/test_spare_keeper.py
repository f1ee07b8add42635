"""A keeper waits for the next ``%%sandbox``: it knows nothing of a cell before, and nothing depends on its being there."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("jupyter_client")

from users_kernel import UsersKernel
from waiting import sleeps, until

from udock_lab.linux.process import children, descendants, state


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path / "home")
    yield kernel
    kernel.close()


def launcher_of(kernel: UsersKernel) -> int:
    (launcher,) = [pid for pid in children(kernel.pid) if b"launcher" in command_of(pid)]
    return launcher


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def spares_of(kernel: UsersKernel) -> list[int]:
    return [pid for pid in children(launcher_of(kernel)) if command_of(pid).endswith(b"\0spare keeper\0")]


def spare_of(kernel: UsersKernel) -> int:
    """The one that waits for a request."""
    assert until(lambda: len(spares_of(kernel)) == 1 and sleeps(spares_of(kernel)[0]))
    return spares_of(kernel)[0]


def is_gone(pid: int) -> bool:
    return state(pid) in (None, "Z")


def test_who_never_uses_a_sandbox_has_no_spare_and_the_first_one_leaves_one(kernel: UsersKernel) -> None:
    kernel.run("%mdock demo\n%mdock run demo true")
    assert spares_of(kernel) == []
    assert kernel.run("%%sandbox\nprint(6 * 7)").stdout.endswith("42\n")
    spare_of(kernel)


def test_the_next_sandbox_takes_it_and_another_one_waits_afterwards(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)
    above = "pid = os.getpid()\nwhile pid:\n pid = int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1]); print(pid)"
    assert str(spare) in kernel.run(f"%%sandbox\nimport os\n{above}").stdout.split()
    assert until(lambda: is_gone(spare))
    assert spare_of(kernel) != spare


def open_files_of(pid: int) -> list[str]:
    """Their paths. Those of the interpreter may come and go, and libffi keeps itself open on some machines."""
    paths = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            paths.append(os.readlink(fd))
    return paths


def test_it_brings_nothing_from_the_cell_before(kernel: UsersKernel, tmp_path: Path) -> None:
    """Working folder, environment, limits and names are those of this cell, and of the notebook at this moment."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    kernel.run(f"import os\nos.chdir({str(first)!r}); os.environ['SAID'] = 'before'; given = 1")
    kernel.run(
        "%%sandbox --mem 512M --procs 7\nimport os\nos.environ['SAID'] = 'inside'; os.chdir('/usr'); print(given)"
    )
    spare = spare_of(kernel)
    assert os.readlink(f"/proc/{spare}/cwd") == "/"
    assert not [path for path in open_files_of(spare) if path.startswith(str(tmp_path))]
    assert b"SAID" not in Path(f"/proc/{spare}/environ").read_bytes()
    kernel.run(f"os.chdir({str(second)!r}); os.environ['SAID'] = 'after'; os.environ['HOME'] = '/nowhere'; given = 2")
    code = (
        "%%sandbox --mem 256M --procs 9\nimport os, resource\n"
        "print(os.environ['SAID'], os.environ['HOME'], given, resource.getrlimit(resource.RLIMIT_AS)[0] >> 20,"
        " os.getcwd() not in ('/', '/usr'), os.listdir('.'), sep='|')"
    )
    assert kernel.run(code).stdout.endswith("after|/nowhere|2|256|True|[]\n")
    said = kernel.run(
        f"from udock_lab import sandbox\nprint(sandbox.run('import os; print(os.getcwd())', cwd={str(second)!r}).stdout)"
    )
    assert said.stdout.strip() == str(second)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_is_dead_or_stopped_is_replaced_unnoticed(kernel: UsersKernel, number: signal.Signals) -> None:
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)
    os.kill(spare, number)
    assert until(lambda: state(spare) in ("T", "Z", None))
    cell = kernel.run("%%sandbox\nprint(6 * 7)")
    assert (cell.status, cell.stdout.endswith("42\n")) == ("ok", True), cell.error
    assert until(lambda: is_gone(spare)), "a stopped one is ended, not forgotten"
    assert spare_of(kernel) != spare


def test_one_that_dies_with_the_request_unread_runs_nothing_and_the_next_one_does(kernel: UsersKernel) -> None:
    """It is stopped in the moment between the look at it and the request, and then killed."""
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)
    kernel.run("import os; lines = os.path.expanduser('~/lines')\nfrom udock_lab.sandbox import keepers")
    kernel.run("keepers.stopped = lambda pids: []")  # it looks as if it ran
    os.kill(spare, signal.SIGSTOP)
    assert until(lambda: state(spare) == "T")
    request = kernel.begin("%%sandbox\nopen(lines, 'a').write('here\\n')")
    assert until(lambda: queued(spare)), "the request lies there"
    os.kill(spare, signal.SIGKILL)
    assert kernel.end_of(request).status == "ok"
    assert kernel.run("print(open(lines).read())").stdout == "here\n\n"


def queued(pid: int) -> bool:
    """Whether a message waits in the socket that a keeper reads from: its kernel sleeps and waits for an answer."""
    kernel = parent_of(parent_of(pid))
    return sleeps(kernel) and any("udock-names" in link for link in map(link_of, Path(f"/proc/{kernel}/fd").iterdir()))


def link_of(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_two_sandboxes_at_once_have_a_keeper_each_and_one_spare_is_left(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare_of(kernel)
    code = (
        "from concurrent.futures import ThreadPoolExecutor\nfrom udock_lab import sandbox\n"
        "with ThreadPoolExecutor(3) as pool:\n"
        "    print(*[r.stdout for r in pool.map(lambda n: sandbox.run(f'import time; time.sleep(1); print({n})'), range(3))])"
    )
    assert kernel.run(code).stdout.split() == ["0", "1", "2"]
    assert until(lambda: len(spares_of(kernel)) == 1)
    assert kernel.run("%%sandbox\nprint(6 * 7)").stdout.endswith("42\n")


@pytest.mark.parametrize("end", ["restart", "kill -9", "shutdown", "unload"])
@pytest.mark.parametrize("is_stopped", [False, True])
def test_it_ends_with_its_kernel(tmp_path: Path, end: str, is_stopped: bool) -> None:
    kernel = UsersKernel(tmp_path / "home")
    try:
        kernel.run("%%sandbox\n1")
        spare = spare_of(kernel)
        if is_stopped:
            os.kill(spare, signal.SIGSTOP)
            assert until(lambda: state(spare) == "T")
        if end == "restart":
            kernel.restart()
        elif end == "kill -9":
            os.kill(kernel.pid, signal.SIGKILL)
        elif end == "unload":
            kernel.run("%unload_ext udock_lab")
            assert until(lambda: is_gone(spare))
    finally:
        kernel.close()
    assert until(lambda: is_gone(spare))


@pytest.mark.parametrize("is_stopped", [False, True])
def test_it_ends_with_a_kernel_whose_detached_container_runs_on(kernel: UsersKernel, is_stopped: bool) -> None:
    kernel.run("%mdock demo\n%mdock run -d demo sleep 600\n%%sandbox\n1")
    kernel.run("%%sandbox\n1")
    spare, launcher = spare_of(kernel), launcher_of(kernel)
    if is_stopped:
        os.kill(spare, signal.SIGSTOP)
        assert until(lambda: state(spare) == "T")
    kernel.restart()
    assert until(lambda: is_gone(spare)) and not is_gone(launcher)
    assert kernel.run("%mdock rm -f c1").status == "ok"


def test_it_ends_with_its_launcher_and_the_next_sandbox_has_another(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare, launcher = spare_of(kernel), launcher_of(kernel)
    os.kill(spare, signal.SIGSTOP)
    os.kill(launcher, signal.SIGKILL)
    assert until(lambda: is_gone(spare))
    assert kernel.run("%%sandbox\nprint(6 * 7)").stdout.endswith("42\n")
    assert spare_of(kernel) not in (spare, 0)


def test_it_costs_no_processor_while_it_waits(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)

    def switches() -> list[str]:
        status = Path(f"/proc/{spare}/status").read_text().splitlines()
        return [line for line in status if "ctxt_switches" in line]

    before = switches()
    kernel.run("import time; time.sleep(1)")
    assert switches() == before


def test_a_forked_worker_leaves_it_to_the_kernel(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)
    code = (
        "import multiprocessing, os, time\nfrom udock_lab import sandbox\n"
        "def work(say):\n    say.send((os.getpid(), sandbox.run('print(6 * 7)').stdout)); time.sleep(600)\n"
        "hear, say = multiprocessing.Pipe()\n"
        "worker = multiprocessing.get_context('fork').Process(target=work, args=(say,)); worker.start()\n"
        "print(*hear.recv())"
    )
    worker, said = map(int, kernel.run(code).stdout.split())
    assert said == 42 and not is_gone(spare)
    below = [worker, *descendants(worker)]
    try:
        os.kill(kernel.pid, signal.SIGKILL)
        assert until(lambda: is_gone(spare)), "the worker held a copy of its socket"
    finally:
        os.kill(worker, signal.SIGKILL)
    assert until(lambda: all(map(is_gone, below)))


def test_process_tree_names_it(kernel: UsersKernel) -> None:
    kernel.run("%%sandbox\n1")
    spare = spare_of(kernel)
    shown = kernel.run("from udock_lab import Runtime\nfor tree in Runtime().process_tree(): print(tree)").stdout
    assert f"pid={spare}" in shown and "role='spare keeper'" in shown and "role='sandbox'" not in shown
    code = "%%sandbox\nimport os, time\nopen(os.path.expanduser('~/up'), 'w').close()\ntime.sleep(60)"
    request = kernel.begin(code)
    assert until(lambda: (kernel.mdock_home.parent / "up").exists())
    assert Path(f"/proc/{spare}/comm").read_text() == "keeper\n"
    kernel.interrupt()
    assert kernel.end_of(request).status == "error"


def test_one_whose_launcher_ended_while_it_started_ends_though_its_client_lives() -> None:
    """It had not asked for its parent's death signal yet, and its client's end of the socket is open."""
    from udock_lab.sandbox.keepers import CODE, PACKAGE

    launcher = subprocess.Popen(["true"])
    pidfd = os.pidfd_open(launcher.pid)
    launcher.wait()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (theirs.fileno(), pidfd)]
    argv = [sys.executable, "-I", "-S", "-c", CODE, PACKAGE]
    files = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate(high, 3)]
    keeper = os.posix_spawn(argv[0], argv, os.environ, file_actions=files)
    theirs.close()
    for fd in (*high, pidfd):
        os.close(fd)
    with ours:
        assert until(lambda: is_gone(keeper))
        assert os.waitpid(keeper, 0)[1] == 0
        assert ours.recv(100) == b"", "it said nothing"
