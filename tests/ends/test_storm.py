"""A storm of keys, signals and ends: the code is the program's own each time, and nothing is left."""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from as_users import Mdock

_IGNORING = "trap '' HUP INT QUIT TERM USR1 USR2 ALRM; "
_SENT = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


class Storm:
    """Runs of one program after the other, disturbed as they end; each returns (what was wanted, what came)."""

    def __init__(self, mdock: Mdock, seed: int) -> None:
        self.mdock = mdock
        self.chance = random.Random(seed)

    def keys(self) -> tuple[int, int]:
        """Somebody goes on typing at a terminal while the program ends."""
        code = self.chance.randrange(256)
        program = f"echo up; sleep {self.chance.uniform(0, 0.2):.3f}; exit {code}"
        screen, side = os.openpty()
        flags = self.chance.choice((["-it"], ["-it", "--rm"], []))
        with self._start("run", *flags, "demo", "sh", "-c", program, stdin=side, stdout=side, stderr=side) as process:
            os.close(side)
            os.set_blocking(screen, False)  # nobody reads any more between the end and our learning of it
            _read_until(screen, b"up")
            for _ in _until_it_ends(process):
                with suppress(OSError):  # the screen's other side is closed by now
                    os.write(screen, self.chance.choice((b"x", b"abc\r", b"\x1b[A", b"y" * 500)))
                    if select.select([screen], [], [], self.chance.uniform(0, 0.004))[0]:
                        os.read(screen, 65536)
        os.close(screen)
        return code, process.returncode

    def signals(self) -> tuple[int, int]:
        """The program ignores what is sent to mdock until both have ended."""
        code = self.chance.randrange(256)
        program = f"{_IGNORING}echo up; sleep {self.chance.uniform(0, 0.2):.3f}; exit {code}"
        flags = self.chance.choice(([], ["--rm"], ["-t"]))
        with self._start("run", *flags, "demo", "sh", "-c", program, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            for _ in _until_it_ends(process):
                process.send_signal(self.chance.choice(_SENT))
                time.sleep(self.chance.uniform(0, 0.004))
        return code, process.returncode

    def deadly(self) -> tuple[int, int]:
        """One signal, at any moment from the program's first word on."""
        number = self.chance.choice(_SENT)
        with self._start(
            "run", "demo", "sh", "-c", "echo up; exec sleep 60", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(self.chance.uniform(0, 0.02))
            process.send_signal(number)
            process.wait(timeout=60)
        return 128 + number, process.returncode

    def second_interrupt(self) -> tuple[int, int]:
        """Two interrupts, one soon after the other, of a program that ignores them."""
        program = f"{_IGNORING}echo up; while :; do sleep 0.05; done"
        with self._start("run", "demo", "sh", "-c", program, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in _until_it_ends(process):
                process.send_signal(signal.SIGINT)
                time.sleep(self.chance.uniform(0.01, 0.03))
        return 137, process.returncode

    def _start(self, *words: str, **how: object) -> subprocess.Popen[bytes]:
        """As from an interactive shell: what the tests' own caller ignores (``nohup``, ``&``) is not ignored here."""
        return subprocess.Popen(
            ["env", "--default-signal=HUP,INT,QUIT", *self.mdock.argv(*words)],
            env=self.mdock.environment,
            start_new_session=True,
            **({"stdin": subprocess.DEVNULL} | how),  # type: ignore[call-overload]
        )


def _until_it_ends(process: subprocess.Popen[bytes]) -> Iterator[None]:
    deadline = time.monotonic() + 60
    while process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError("it does not end")
        yield


def _read_until(screen: int, word: bytes) -> None:
    seen, deadline = b"", time.monotonic() + 60
    while word not in seen:
        assert time.monotonic() < deadline, f"{word!r} did not come: {seen!r}"
        if select.select([screen], [], [], 1)[0]:
            seen += os.read(screen, 4096)


@contextmanager
def busy_processors() -> Iterator[None]:
    """A program that does nothing, on each processor."""
    endless = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in endless:
            process.kill()
            process.wait()


def _weather(mdock: Mdock, runs: int) -> list[tuple[str, int, int]]:
    """``runs`` runs, two at a time; those whose code is another than was wanted."""

    def one(number: int) -> tuple[str, int, int]:
        storm = Storm(mdock, number)
        kinds: list[Callable[[], tuple[int, int]]] = [storm.keys, storm.signals, storm.deadly, storm.second_interrupt]
        kind = kinds[number % len(kinds)]
        return (kind.__name__, *kind())

    with ThreadPoolExecutor(2) as pool:
        return [outcome for outcome in pool.map(one, range(runs)) if outcome[1] != outcome[2]]


def _nothing_is_left(mdock: Mdock) -> None:
    """No container runs, each has its end on record, and no process of that home lives."""
    assert [container.id for container in mdock.runtime.ps() if container.record.end_time is None] == []
    home = f"HOME={mdock.home}".encode()
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environment:
            if home in environment.read().split(b"\0"):
                left.append(pid)
    assert left == []


def test_keys_signals_and_ends_in_one_moment_give_the_programs_code(mdock: Mdock) -> None:
    assert _weather(mdock, 16) == []
    _nothing_is_left(mdock)


def test_signals_that_went_to_a_container_stay_there_until_mdock_has_ended(mdock: Mdock, tmp_path: Path) -> None:
    """Given back in between, one that comes a moment late would end mdock with another code than the program's."""
    if shutil.which("strace") is None:
        pytest.skip("needs privilege: strace is not installed")
    record = tmp_path / "signals"
    watched = ["strace", "-o", str(record), "-e", "trace=rt_sigaction"]
    ran = subprocess.run(
        [*watched, *mdock.argv("run", "demo", "sh", "-c", "exit 7")], env=mdock.environment, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 7
    last = re.findall(r"rt_sigaction\(SIGUSR1, \{sa_handler=(\w+)", record.read_text())[-1]
    assert last != "SIG_DFL"


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_storm_of_500_runs_on_a_busy_machine_tells_every_end_as_it_was(mdock: Mdock) -> None:
    with busy_processors():
        assert _weather(mdock, 500) == []
    _nothing_is_left(mdock)
