"""What happens at a terminal, for any user: its size, its descriptors, who reads its keys."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest
from terminals import Terminal

from udock_lab import Runtime


@pytest.mark.parametrize(
    ("size", "seen"), [((0, 0), "24 80"), ((0, 100), "24 100"), ((30, 0), "30 80"), ((7, 9), "7 9")]
)
def test_terminal_that_does_not_know_its_size_has_24_lines_of_80(
    runtime: Runtime, size: tuple[int, int], seen: str
) -> None:
    with closing(Terminal("run", "demo", "/bin/sh", "-c", "stty size", size=size)) as terminal:
        terminal.expect(f"{seen}\r\n")
        assert terminal.wait() == 0


MANY = """
import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
for _ in range(1100):
    os.set_inheritable(os.dup(2), True)
os.execv(sys.executable, [sys.executable, "-m", "udock_lab.cli", *sys.argv[1:]])
"""


def test_over_a_thousand_inherited_descriptors_do_no_harm_at_a_terminal(runtime: Runtime) -> None:
    words = ("run", "demo", "/bin/sh", "-c", "read line; echo got $line; ls /proc/self/fd 2>/dev/null | wc -l; exit 42")
    with closing(Terminal(*words, program=(sys.executable, "-c", MANY))) as terminal:
        terminal.type("hello\n")
        terminal.expect("got hello")
        assert terminal.wait() == 42
