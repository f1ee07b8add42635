"""``mdock`` as somebody has it who has just installed it: a fresh HOME, the image demo, no variable of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from udock_lab import Runtime

PATIENCE = 60  # seconds for what takes a moment on an idle machine


class Mdock:
    """The program, started anew for each command line; ``runtime`` reads what it wrote down."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {name: value for name, value in os.environ.items() if name != "MDOCK_HOME"}
        self.environment["HOME"] = str(home)
        self.runtime = Runtime(home / ".mdock")
        self.started: list[subprocess.Popen[bytes]] = []

    def argv(self, *words: str) -> list[str]:
        return [os.path.join(os.path.dirname(sys.executable), "mdock"), *words]

    def start(self, *words: str, ignoring: tuple[int, ...] = (), **how: object) -> subprocess.Popen[bytes]:
        """Start it, as a shell does that has these signals ignored and no other."""
        ignored = ["env", f"--ignore-signal={','.join(map(str, ignoring))}"] if ignoring else []
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [*ignored, *self.argv(*words)],
            env=self.environment,
            **({"stdin": subprocess.DEVNULL} | how),  # type: ignore[call-overload]
        )
        self.started.append(process)
        return process

    def __call__(self, *words: str, **how: object) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.start(*words, **(pipes | how)) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def supervisor(self, container: str) -> int:
        """The process that supervises it, as ``mdock inspect`` tells."""
        until(lambda: self._spec(container), f"the spec of {container}")
        return int(str(self._spec(container)["supervisor"]))

    def _spec(self, container: str) -> dict[str, object]:
        spec = self.runtime.inspect(container).data["spec"]
        assert isinstance(spec, dict)
        return spec

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        for container in self.runtime.ps(running=True):
            self.runtime.kill(container.id)


def until(true: Callable[[], object], what: str = "what was waited for") -> None:
    """Wait for it; the test fails if it never comes."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)
