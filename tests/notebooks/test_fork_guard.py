"""No cell makes a second kernel or replaces the one there is; what starts other programs goes on working."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("jupyter_client")

from users_kernel import UsersKernel

ADVICE = "Write %%sandbox in the first line of the cell: there, code may fork and exec."


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UsersKernel]:
    kernel = UsersKernel(tmp_path_factory.mktemp("fork-guard") / "home")
    kernel.run("import ctypes, os, pty, sys, threading\nlibc = ctypes.CDLL(None)\nwho = os.getpid()")
    yield kernel
    kernel.close()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("os.fork()", "os.fork()"),
        ("os.forkpty()", "os.forkpty()"),
        ("pty.fork()", "pty.fork()"),
        ("pty.spawn('/bin/true')", "pty.spawn()"),
        ("os.spawnlp(os.P_WAIT, 'true', 'true')", "os.spawnlp()"),
        ("os.spawnve(os.P_NOWAIT, '/bin/true', ['true'], {})", "os.spawnve()"),
        ("os.execv('/bin/true', ['true'])", "os.execv()"),
        ("os.execve('/bin/true', ['true'], {})", "os.execve()"),
        ("os.execlp('true', 'true')", "os.execlp()"),
        ("os.execvpe('true', ['true'], {})", "os.execvpe()"),
        ("os.execve(os.open('/bin/true', os.O_RDONLY), ['true'], {})", "os.execve()"),
        ("ctypes.CDLL(None).fork()", "fork()"),
        ("libc.execv(b'/bin/true', None)", "execv()"),
        ("from os import fork as split\nsplit()", "os.fork()"),
        ("import concurrent.futures as c\nc.ThreadPoolExecutor().submit(os.fork).result()", "os.fork()"),
        ("from multiprocessing.pool import ThreadPool\nThreadPool(1).apply(os.forkpty)", "os.forkpty()"),
    ],
)
def test_what_would_copy_or_replace_the_kernel_is_refused_with_advice(
    kernel: UsersKernel, code: str, name: str
) -> None:
    cell = kernel.run(code)
    assert (cell.status, cell.ename) == ("error", "MdockError")
    assert f"{name} in a cell would" in cell.error
    assert ADVICE in cell.error
    assert kernel.run("print(os.getpid() == who, threading.main_thread().is_alive())").stdout == "True True\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("!echo $((40 + 2))", "42"),
        ("!sleep 0.1 && echo late", "late"),
        ("found = !echo 43\nprint(found[0])", "43"),
        ("print((get_ipython().run_line_magic('sx', 'echo 44'))[0])", "44"),
        ("%system echo 45 > said\nprint(open('said').read())", "45"),
        ("%%bash\necho $((46))", "46"),
        ("%%bash --out said\necho 47", ""),
        ("print(said)", "47"),
        ("import subprocess\nprint(subprocess.check_output(['echo', '48'], text=True))", "48"),
        ("subprocess.run(['sh', '-c', 'exit $(umask | cut -c4)'], preexec_fn=lambda: os.umask(5)).returncode", "5"),
        ("os.waitstatus_to_exitcode(os.system('exit 6'))", "6"),
        ("os.popen('echo 49').read()", "49"),
        ("os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1]", "0"),
        ("os.waitpid(os.posix_spawnp('true', ['true'], {}), 0)[1]", "0"),
        ("import asyncio\nprint(await (await asyncio.create_subprocess_exec('true')).wait())", "0"),
        ("import pexpect\npexpect.run('echo 50').decode()", "50"),
        ("pexpect.spawn('true', preexec_fn=lambda: os.umask(18)).wait()", "0"),
        ("libc.fork.restype = ctypes.c_int\nlibc.fork.restype", "c_int"),
        ("%%sandbox\nif os.fork() == 0: os.execlp('echo', 'echo', '51')\nos.wait()", "51"),
        ("%%sandbox\nimport pty\npid, _ = pty.fork()\nif pid == 0: os._exit(7)\nprint(os.wait()[1] >> 8)", "7"),
    ],
)
def test_what_starts_another_program_goes_on_working(kernel: UsersKernel, code: str, said: str) -> None:
    cell = kernel.run(code)
    assert (cell.status, cell.error) == ("ok", "")
    assert said in cell.stdout + cell.plain


def test_multiprocessing_forks_as_ever_and_its_children_may_do_what_they_like(kernel: UsersKernel) -> None:
    code = """
import multiprocessing
def other_program(): os.execlp("sh", "sh", "-c", "exit 9")
def grandchild(): os._exit(os.waitstatus_to_exitcode(os.waitpid(os.fork() or os._exit(8), 0)[1]))
context = multiprocessing.get_context("fork")
for target in (other_program, grandchild):
    process = context.Process(target=target)
    process.start(); process.join()
    print(process.exitcode)
"""
    assert kernel.run(code).stdout == "9\n8\n"
    code = """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1, mp_context=context) as pool: print(pool.submit(abs, -3).result())
"""
    assert kernel.run(code).stdout == "3\n"


def test_unloading_the_extension_takes_the_guard_away_and_loading_brings_it_back(kernel: UsersKernel) -> None:
    fork = "pid = os.fork()\nif pid == 0: os._exit(0)\nprint(os.waitpid(pid, 0)[1])"
    assert kernel.run(f"%unload_ext udock_lab\n{fork}").stdout == "0\n"
    assert ADVICE in kernel.run(f"%load_ext udock_lab\n{fork}").error
