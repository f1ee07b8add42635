"""Tab in a real bash and a real zsh, through a terminal: what is completed is run, and its output is the proof."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminals import start_at

from udock_lab.commands.completion import words_so_far

SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
PATIENCE = 60.0


class Keyboard:
    """A shell in a terminal of its own, in a HOME with the image ``demo``, the container c1 and some files."""

    def __init__(self, name: str, home: Path) -> None:
        env = {name: value for name, value in os.environ.items() if name != "MDOCK_HOME"}
        env |= {"HOME": str(home), "TERM": "dumb", "PS1": "$ ", "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
        self.terminal, self.side = os.openpty()
        self.process = start_at(self.side, SHELLS[name], cwd=home, env=env)
        self.seen = ""
        self.count = 0

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def wait_for(self, wanted: str) -> str:
        """What has been shown until ``wanted`` (a pattern) is."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(wanted, self.seen)):
            ready = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]
            assert ready, f"{wanted!r} did not come; what came: {self.seen!r}"
            self.seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return shown

    def run(self, keys: str) -> str:
        """What a line shows that is typed, completed and sent off."""
        self.count += 1
        self.type(f"{keys}; echo done-$(({self.count}+0))-\n")
        return self.wait_for(f"done-{self.count}-")

    def close(self) -> None:
        os.close(self.terminal)
        os.close(self.side)
        self.process.wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("completion")
    (home / "bin").mkdir()
    (home / "bin" / "mdock").symlink_to(Path(sys.executable).with_name("mdock"))
    (home / "folder of mine").mkdir()
    (home / "variables.env").write_text("GREETING=hello from a file\n")
    env = {name: value for name, value in os.environ.items() if name != "MDOCK_HOME"} | {"HOME": str(home)}

    def mdock(*words: str) -> str:
        done = subprocess.run([home / "bin" / "mdock", *words], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    mdock("demo")
    mdock("run", "-d", "demo", "sleep", "600")
    yield home
    mdock("rm", "-f", "c1")


@pytest.fixture(params=sorted(SHELLS))
def keyboard(request: pytest.FixtureRequest, home: Path) -> Iterator[Keyboard]:
    if shutil.which(request.param) is None:
        pytest.skip(f"needs privilege: {request.param} is not installed")
    keyboard = Keyboard(request.param, home)
    keyboard.run(f"source <(mdock completion {request.param})")
    yield keyboard
    keyboard.close()


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("mdock vers\t", r"mdock \d"),
        ("mdock ru\tdem\techo 'it is'' run'", r"it is run"),
        ("mdock --debug vers\t", r"mdock \d"),
        ("mdock help wai\t| head -1", r"usage: mdock wait"),
        ("mdock exec c\techo 'it is'' inside'", r"it is inside"),
        ("mdock ps --runn\t", r"c1 +demo"),
        ("mdock ps --filter status=runn\t", r"c1 +demo"),
        ("mdock ps --filter=status=runn\t", r"c1 +demo"),
        ("mdock kill -s CON\tc1 && echo 'it is'' sent'", r"it is sent"),
        ("mdock kill -s SIGCON\tc1 && echo 'it is'' sent'", r"it is sent"),
        ("mdock config user\t", r"off"),
        ("mdock completion z\t| head -1", r"#compdef mdock"),
        ("mdock run --env-file varia\tdemo sh -c 'echo $GREETING'", r"hello from a file"),
        ("mdock build --force mine fold\t", r"Image 'mine' is ready"),
    ],
)
def test_what_tab_completes_runs(keyboard: Keyboard, keys: str, shown: str) -> None:
    said = keyboard.run(keys)
    assert re.search(rf"(^|[\r\n]){shown}", said), said


def test_tab_shows_what_there_is_and_no_error_where_there_is_nothing(keyboard: Keyboard) -> None:
    keyboard.type("mdock r\t\t")
    assert "rootfs" in keyboard.wait_for("rootfs")
    keyboard.type("\x15")
    keyboard.type("mdock frobnicate x\ty\t 'an open quotation\t\x15")
    assert "rror" not in keyboard.run("mdock version")


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_the_script_is_valid(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs privilege: {shell} is not installed")
    words = [sys.executable, "-m", "udock_lab.cli", "completion", shell]
    script = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_another_shell_is_told_which_there_are() -> None:
    words = [sys.executable, "-m", "udock_lab.cli", "completion", "fish"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and "bash" in done.stderr and "zsh" in done.stderr


@given(st.text(st.sampled_from("ab '\"\\$=\t"), max_size=20))
def test_any_line_so_far_has_words(line: str) -> None:
    words = words_so_far(f"mdock {line}")
    assert words and all(isinstance(word, str) and "\1" not in word for word in words)
