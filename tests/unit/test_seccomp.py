"""Filters by which the kernel refuses calls; each is installed in a process of its own, because none can be undone."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "privileged"))
import rungs

PROGRAM = """
import errno, os, subprocess, sys
from udock_lab.linux.seccomp import refuse_chroot
def answer(path):
    try:
        os.chroot(path)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
refuse_chroot({number})
"""


def run(number: int, code: str, *rung: str) -> str:
    done = rungs.run(list(rung), PROGRAM.format(number=number) + code)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.EIO, errno.ENOMEM, errno.ELOOP, errno.ENOSYS])
def test_chroot_answers_the_number_that_was_asked_for_also_where_it_would_work(number: int) -> None:
    assert run(number, "print(answer('/'))") == errno.errorcode[number]


def test_the_filter_answers_before_the_path_is_looked_up() -> None:
    assert run(errno.EIO, "print(answer('/no/such/folder'))") == "EIO"


def test_nothing_but_chroot_is_refused() -> None:
    assert run(errno.EIO, "os.chdir('/'); print(os.getcwd(), os.listdir('/proc/self/fd') != [])") == "/ True"


def test_children_and_programs_inherit_the_refusal() -> None:
    child = """
pid = os.fork()
if pid == 0:
    os._exit(answer("/") == "EIO")
inherited = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
words = [sys.executable, "-c", "import os\\ntry: os.chroot('/')\\nexcept OSError as error: print(error.errno)"]
print(inherited, subprocess.run(words, capture_output=True, text=True).stdout.strip())
"""
    assert run(errno.EIO, child) == f"True {errno.EIO}"


def test_a_second_filter_has_the_last_word() -> None:
    assert run(errno.EIO, f"refuse_chroot({int(errno.EACCES)}); print(answer('/'))") == "EACCES"


def test_no_privilege_is_needed_for_it() -> None:
    assert run(errno.EIO, "print(answer('/'))", "nobody") == "EIO"


def test_a_machine_that_refuses_filters_says_so() -> None:
    done = rungs.run(["refuse=seccomp"], PROGRAM.format(number=int(errno.EIO)))
    assert f"[Errno {int(errno.EPERM)}]" in done.stderr.splitlines()[-1]
