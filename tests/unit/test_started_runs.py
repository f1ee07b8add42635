"""A run that a program with an event loop starts, and does not wait for: ``Runtime.start``."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from waiting import in_a_loop, until

from udock_lab import ContainerSpec, NotFound, RunIO, RunOptions, Runtime, UsageError
from udock_lab.model.value import fields
from udock_lab.runtime.started import StartedRun

OTHERWISE = "echo out; echo err >&2; exit 42"
OWN = ("id", "pid", "log_path", "exit_status", "steps", "before", "after")  # what two runs do not have in common


async def comes(condition: Callable[[], object]) -> bool:
    """Whether it comes to be true while the loop goes on."""
    for _ in range(2000):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


async def ended(started: StartedRun) -> int | None:
    return (await asyncio.wait_for(started, 60)).exit_code


def test_result_is_the_one_of_run(runtime: Runtime) -> None:
    async def program() -> None:
        argv, heard = ["/bin/sh", "-c", OTHERWISE], list[tuple[str, bytes]]()
        started = runtime.start("demo", argv, on_output=lambda *said: heard.append(said), env={"A": "1"})
        result, same = await started, runtime.run("demo", argv, env={"A": "1"})
        assert {k: v for k, v in fields(result).items() if k not in OWN} == {
            k: v for k, v in fields(same).items() if k not in OWN
        }
        assert [step.name for step in result.steps] == [step.name for step in same.steps]
        assert sorted(heard) == [("stderr", b"err\n"), ("stdout", b"out\n")]
        assert await started is result is started.result

    in_a_loop(program())


def test_start_takes_a_spec_its_io_and_its_options(runtime: Runtime) -> None:
    async def program() -> None:
        ids: list[str] = []
        spec = ContainerSpec(image="demo", argv=("/bin/cat",))
        started = runtime.start(spec, RunIO(stdin="typed before", on_start=ids.append), RunOptions(spare=False))
        result = await started
        assert result.stdout == b"typed before"
        assert ids == [started.id] == [result.id]
        assert "fork" in [step.name for step in result.steps]

    in_a_loop(program())


def test_what_is_typed_reaches_the_program_and_other_things_go_on(runtime: Runtime) -> None:
    async def program() -> None:
        script = "while read line; do echo got $line; done; echo over; exit 3"
        started = runtime.start("demo", ["/bin/sh", "-c", script], interactive=True)
        started.type("one\n")
        assert await comes(lambda: started.stdout == b"got one\n")
        assert runtime.run("demo", ["/bin/echo", "meanwhile"]).stdout == b"meanwhile\n"
        started.type(b"two\n")
        assert await comes(lambda: started.stdout.endswith(b"got two\n"))
        assert (started.done, started.result) == (False, None)
        started.end_input()
        assert await ended(started) == 3
        assert started.stdout.endswith(b"over\n")

    in_a_loop(program())


def test_more_than_a_pipe_holds_can_be_typed_at_once(runtime: Runtime) -> None:
    async def program() -> None:
        keys = os.urandom(700_000)
        started = runtime.start("demo", ["/bin/sh", "-c", "sleep 0.5; exec cat"], interactive=True)
        started.type(keys)
        started.end_input()
        assert (await started).stdout == keys

    in_a_loop(program())


def test_terminal_of_a_started_run_is_resized_typed_into_and_ended(runtime: Runtime) -> None:
    async def program() -> None:
        script = (
            "stty -echo; echo ready; while read x; do stty size; done; exit 5"  # no trap: Debian 14's dash spins then
        )
        started = runtime.start("demo", ["/bin/sh", "-c", script], tty=True, interactive=True)
        assert await comes(lambda: b"ready" in started.stdout)
        started.resize(11, 77)
        assert await comes(lambda: started.type("\n") or b"11 77" in started.stdout)  # they go different ways
        started.end_input()
        assert await ended(started) == 5

    in_a_loop(program())


def test_signal_by_name_or_number_reaches_the_program(runtime: Runtime) -> None:
    async def program() -> None:
        script = "trap 'echo usr' USR1; echo ready; while :; do sleep 0.05; done"
        started = runtime.start("demo", ["/bin/sh", "-c", script])
        assert await comes(lambda: b"ready" in started.stdout)
        started.signal("USR1")
        assert await comes(lambda: b"usr" in started.stdout)
        started.signal(9)
        assert await ended(started) == 137

    in_a_loop(program())


def test_who_stops_waiting_does_not_stop_the_run(runtime: Runtime) -> None:
    async def program() -> None:
        started = runtime.start("demo", ["/bin/sh", "-c", "read x; exit 6"], interactive=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(started, 0.1)
        started.type("\n")
        assert await ended(started) == 6

    in_a_loop(program())


def test_many_runs_are_followed_by_one_loop(runtime: Runtime) -> None:
    async def program() -> None:
        started = [runtime.start("demo", ["/bin/echo", str(number)]) for number in range(20)]
        assert [(await one).stdout for one in started] == [b"%d\n" % number for number in range(20)]

    before = len(os.listdir("/proc/self/fd"))
    in_a_loop(program())
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the launcher's, if this was the first run


def test_container_ends_with_the_loop_that_follows_it(runtime: Runtime) -> None:
    async def program() -> StartedRun:
        started = runtime.start("demo", ["/bin/sleep", "600"])
        assert await comes(lambda: started.id)
        return started

    started = in_a_loop(program())
    assert until(lambda: not runtime.ps(running=True))
    assert (started.done, started.result) == (True, None)
    assert [one.record.exit_code for one in runtime.ps() if one.id == started.id] == [143]


def test_container_of_a_run_whose_loop_ends_at_once_ends_too(runtime: Runtime) -> None:
    async def program() -> None:
        runtime.start("demo", ["/bin/sleep", "600"], copy=True)

    before = len(os.listdir("/proc/self/fd"))
    in_a_loop(program())
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    assert until(lambda: not runtime.ps(running=True))


PROGRAM = """
import asyncio, sys
from udock_lab import Runtime
async def program():
    started = Runtime().start("demo", ["/bin/sleep", "600"])
    while not started.id: await asyncio.sleep(0.01)
    print(started.id, flush=True)
    await started
asyncio.run(program())
"""


def test_container_ends_and_is_recorded_when_its_program_is_killed(runtime: Runtime) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        name = program.stdout.readline().strip()
        program.kill()
    assert until(lambda: not runtime.ps(running=True))
    assert [(one.state, one.record.exit_code) for one in runtime.ps() if one.id == name] == [("exited", 143)]


def test_program_that_cannot_start_is_a_result_and_a_missing_image_an_error(runtime: Runtime) -> None:
    async def program() -> None:
        result = await runtime.start("demo", ["/no/such/program"])
        assert result.exit_code == 127 and result.failure is not None
        with pytest.raises(NotFound):
            runtime.start("nosuch")

    in_a_loop(program())


def test_an_error_of_who_listens_is_raised_where_somebody_waits_and_the_container_ends(runtime: Runtime) -> None:
    def listen(_: str, data: bytes) -> None:
        raise ValueError(data.decode())

    async def program() -> None:
        started = runtime.start("demo", ["/bin/sh", "-c", "echo hello; sleep 600"], on_output=listen)
        with pytest.raises(ValueError, match="hello"):
            await started
        assert started.result is None
        assert await comes(lambda: not runtime.ps(running=True))

    in_a_loop(program())


def test_what_start_does_not_do_is_refused_with_what_to_type(runtime: Runtime) -> None:
    with ThreadPoolExecutor(1) as thread, pytest.raises(UsageError, match="needs an event loop"):
        thread.submit(runtime.start, "demo", ["/bin/true"]).result()  # the main thread may have one of playwright's

    async def program() -> None:
        with pytest.raises(UsageError, match="detached"):
            runtime.start("demo", ["/bin/true"], detach=True)
        screen, side = os.openpty()
        with pytest.raises(UsageError, match="typed at a terminal"):
            runtime.start("demo", ["/bin/cat"], stdin=side)
        os.close(screen)
        os.close(side)
        started = runtime.start("demo", ["/bin/true"])
        with pytest.raises(UsageError, match="Nothing can be typed"):
            started.type("x")
        await started

    in_a_loop(program())
    assert runtime.ps(running=True) == []


def test_private_copy_of_a_started_run_goes_with_its_container(runtime: Runtime, home: Path) -> None:
    async def program() -> str:
        return (await runtime.start("demo", ["/bin/touch", "/touched"], copy=True)).id

    name = in_a_loop(program())
    assert len(list(home.rglob("touched"))) == 1
    runtime.rm(name)
    assert list(home.rglob("touched")) == []
