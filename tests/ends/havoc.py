"""Runs of every kind, while SIGKILL comes to whoever takes part: callers, launchers, forkers, supervisors, containers.

A :class:`Lane` makes one run after the other, from a terminal or from a notebook of its own, and kills somebody in
each, at a moment and with a victim that its seed chooses. What came of it is looked at afterwards.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from as_users import PATIENCE, Mdock

from udock_lab.linux.process import children, descendants, is_same_process, state
from udock_lab.runtime.state.extras import load_spec

NOTEBOOK = """
import json, sys
from udock_lab import MdockError, Runtime
runtime = Runtime()
for line in sys.stdin:
    what, arguments, options = json.loads(line)
    try:
        answer = getattr(runtime, what)(*arguments, **options)
        print(json.dumps(["ok", getattr(answer, "id", "")]), flush=True)
    except MdockError as error:
        print(json.dumps(["refused", str(error)]), flush=True)
"""
KINDS = ("plain", "plain", "detached", "detached", "removed", "copied", "exec", "terminal", "order")
ORDERS = (*("stop", "rm", "kill", "wait") * 5, "ps", "prune")
ROLES = ("caller", "supervisor", "forker", "container", "somebody's supervisor", "everybody", "nobody")


def living(pid: int) -> bool:
    """Whether there is still something of a process that could do anything."""
    return state(pid) not in (None, "Z", "X")


class Notebook:
    """A process with a Runtime and its launcher, which does what it is told, line by line."""

    def __init__(self, mdock: Mdock) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NOTEBOOK],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=mdock.environment,
            text=True,
        )

    def tell(self, what: str, *arguments: object, **options: object) -> None:
        """Let it begin; nothing where it was killed."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps([what, arguments, options]) + "\n")
            self.process.stdin.flush()

    def answer(self) -> list[str] | None:
        """What it says to that; None where it was killed."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None

    def launcher(self) -> int | None:
        """Its launcher, if it has one."""
        return next(iter(children(self.process.pid)), None)

    def close(self) -> str:
        """End it as a kernel that is shut down; what it complained of."""
        with suppress(BrokenPipeError):
            complaints = self.process.communicate(timeout=PATIENCE)[1]
            return "" if self.process.returncode == -signal.SIGKILL else complaints
        return ""


class Lane:
    """One run after the other. ``faults`` are what should not have happened; ``ids`` what callers were told."""

    def __init__(self, mdock: Mdock, seed: str) -> None:
        self.mdock = mdock
        self.chance = random.Random(seed)
        self.notebook = Notebook(mdock)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.killed: dict[str, int] = {}

    def run(self, count: int) -> None:
        """So many runs."""
        for number in range(count):
            kind = self.chance.choice(KINDS)
            where = self.in_terminal if kind == "terminal" or self.chance.random() < 0.5 else self.in_notebook
            try:
                where(kind)
            except subprocess.TimeoutExpired as error:
                self.faults.append(f"run {number}, {kind}: no end: {error.cmd}")
                return

    # --- what is run

    def program(self) -> list[str]:
        """Short or longer, alone or with children, with much output or none; obstinate at times."""
        seconds = self.chance.choice((0, 0.05, 0.2, 0.2, 2))
        code = self.chance.randrange(256)
        shell = self.chance.choice(
            (
                f"sleep {seconds}; exit {code}",
                f"echo up; sleep {seconds} & wait; exit {code}",
                f"(sleep {seconds}; sleep {seconds}) & sleep {seconds}; exit {code}",
                f"yes | head -c 300000; sleep {seconds}",
                f"sleep 611 & sleep {seconds}; exit {code}",
                f"trap '' TERM; sleep {seconds}",
                "exec /nothing/here",
            )
        )
        return ["/bin/sh", "-c", shell]

    def some_container(self) -> str:
        """One that runs, more often than not; else one that there was."""
        running = [one.id for one in self.mdock.runtime.ps(running=True)]
        if running and self.chance.random() < 0.9:
            return self.chance.choice(running)
        return f"c{self.chance.randrange(1, 50)}"

    def order(self) -> list[str]:
        """A command about a container that is there already."""
        what = self.chance.choice(ORDERS)
        if what in ("prune", "ps"):
            return [what]
        flags = {"rm": ["-f"], "stop": ["-t", "0.3"]}.get(what, [])
        return [what, *flags, self.some_container()]

    # --- where from

    def in_terminal(self, kind: str) -> None:
        """As ``mdock`` in a shell, with a terminal where one is wanted."""
        flags = {"detached": ["-d"], "removed": ["--rm"], "copied": ["--copy"], "terminal": ["-it"]}.get(kind, [])
        if kind == "order":
            words = self.order()
        elif kind == "exec":
            words = ["exec", self.some_container(), *self.program()]
        else:
            words = ["run", *flags, "demo", *self.program()]
        screen, side = os.openpty() if kind == "terminal" else (-1, -1)
        streams = {"stdin": side, "stdout": side, "stderr": side} if screen >= 0 else {
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
        }  # fmt: skip
        process = subprocess.Popen(self.mdock.argv(*words), env=self.mdock.environment, **streams)  # type: ignore[call-overload]
        if screen >= 0:
            os.close(side)
        self.kill_somebody(process.pid, 0.4)
        if screen >= 0:
            self.read_screen(screen, process)
        out, err = process.communicate(timeout=PATIENCE)
        if b"Traceback" in (err or b""):
            self.faults.append(f"{' '.join(words)}: {err.decode()}")
        if kind == "detached" and process.returncode == 0:
            self.ids.append(out.decode().split()[-1])

    def read_screen(self, screen: int, process: subprocess.Popen[bytes]) -> None:
        """Take what comes, as a terminal does, until nobody writes any more."""
        deadline = time.monotonic() + PATIENCE
        seen = b""
        with suppress(OSError):
            while (part := os.read(screen, 65536)) and time.monotonic() < deadline:
                seen += part
        os.close(screen)
        process.wait(PATIENCE)
        if b"Traceback" in seen:
            self.faults.append(f"at a terminal: {seen.decode(errors='replace')}")

    def in_notebook(self, kind: str) -> None:
        """From the notebook, which is opened anew when it was killed."""
        options = {"detached": {"detach": True}, "removed": {"remove": True}, "copied": {"copy": True}}.get(kind, {})
        if kind == "exec":
            self.notebook.tell("exec", self.some_container(), self.program())
        elif kind == "order":
            self.tell_order()
        else:
            self.notebook.tell("run", "demo", self.program(), **options)
        self.kill_somebody(self.notebook.process.pid, 0.1)
        answer = self.notebook.answer()
        if answer is None:
            self.faults += filter(None, [self.notebook.close()])
            self.notebook = Notebook(self.mdock)
        elif answer[0] == "ok" and kind == "detached":
            self.ids.append(answer[1])

    def tell_order(self) -> None:
        what, *words = [word for word in self.order() if not word.startswith("-") and word != "0.3"]
        options = {"rm": {"force": True}, "stop": {"timeout": 0.3}}.get(what, {})
        self.notebook.tell(what, *words, **options)

    # --- who is killed

    def kill_somebody(self, caller: int, within: float) -> None:
        """Somebody who takes part, a moment after he came on stage; stopped for a while before, at times."""
        role = self.chance.choice(ROLES)
        moment, stops = self.chance.uniform(0, within), self.chance.random() < 0.25
        victims = self.victims(role, caller)
        deadline = time.monotonic() + within
        while not victims and living(caller) and time.monotonic() < deadline:
            time.sleep(0.002)
            victims = self.victims(role, caller)
        if role in ("caller", "everybody", "somebody's supervisor"):
            time.sleep(moment)
            victims = self.victims(role, caller)
        elif victims:
            time.sleep(moment / 10)
        for number in (signal.SIGSTOP, signal.SIGKILL) if stops else (signal.SIGKILL,):
            for pid in victims:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP and victims:
                time.sleep(self.chance.uniform(0, 0.05))
        if victims:
            self.killed[role] = self.killed.get(role, 0) + 1

    def victims(self, role: str, caller: int) -> list[int]:
        """Who plays this part at the moment. A container's children do not: they end with it."""
        if role == "somebody's supervisor":
            return self.supervisor_in_the_background()
        supervisors = children(caller)
        below = [pid for supervisor in supervisors for pid in children(supervisor)]
        forkers = [pid for pid in below if _shares_session(pid)]
        containers = [pid for pid in (*below, *(one for pid in forkers for one in children(pid))) if pid not in forkers]
        if role == "everybody":
            return [caller, *supervisors, *forkers, *containers]
        found = {"caller": [caller], "supervisor": supervisors, "forker": forkers, "container": containers}.get(
            role, []
        )
        return [self.chance.choice(found)] if found else []

    def supervisor_in_the_background(self) -> list[int]:
        """Of a container that runs: its caller has gone, or is another lane's."""
        running = [one.record for one in self.mdock.runtime.ps(running=True)]
        if not running:
            return []
        record = self.chance.choice(running)
        identity = load_spec(self.mdock.runtime.home, record.id).identity
        known = (identity.supervisor, identity.supervisor_ticks, identity.boot_id)
        return [known[0]] if None not in known and is_same_process(*known) else []  # type: ignore[list-item, arg-type]


def session(pid: int) -> int | None:
    """Its number; None where there is no such process."""
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return None


def _shares_session(pid: int) -> bool:
    return session(pid) not in (None, pid)


# --- what is there afterwards


def inside(home: Path) -> dict[int, str]:
    """Living processes whose root lies in mdock's home, and their command lines (proc_pid_root(5))."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if os.readlink(f"/proc/{name}/root").startswith(str(home)) and living(int(name)):
                found[int(name)] = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def of_this_home(mdock: Mdock) -> dict[int, str]:
    """Living processes of mdock itself that have this HOME, and their command lines."""
    found, wanted = {}, f"HOME={mdock.home}".encode()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0") and living(int(name)):
                found[int(name)] = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def unexplained(mdock: Mdock) -> dict[int, str]:
    """Processes in a container that no record and no remembered exec accounts for.

    What an orphaned container left running is accounted for: until that is removed, nobody ends it.
    """
    home = mdock.home / ".mdock"
    found = mdock.runtime.ps()
    known = {one.record.pid for one in found if one.alive}
    orphaned = {one.record.pid for one in found if one.state == "exited (orphaned)"}
    for path in home.glob("containers/*/exec-*.json"):
        known.add(int(re.findall(r"[0-9]+", path.name)[0]))
    for pid in list(known):
        known.update(descendants(pid))
    return {pid: words for pid, words in inside(home).items() if pid not in known and session(pid) not in orphaned}


def ids_given_out(home: Path) -> list[str]:
    """The id of each RUN in the event log."""
    return re.findall(r"\] RUN id=(c[0-9]+) ", (home / "log.txt").read_text())
