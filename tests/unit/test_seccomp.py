"""Filters by which the kernel refuses calls; each is installed in a process of its own, because none can be undone."""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.linux.seccomp_filters import kill_all_refused

sys.path.insert(0, str(Path(__file__).parents[1] / "privileged"))
import rungs

PROGRAM = """
import errno, os, subprocess, sys
from udock_lab.linux.seccomp_filters import refuse_chroot
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


# --- kill(-1), and nothing else; signal 0 asks whether one may and harms nobody (kill(2))

GUARDED = """
import ctypes, errno, mmap, os
from udock_lab.linux.seccomp_filters import kill_all_refused
from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.seccomp import set_filter
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    return "done" if libc.syscall(*map(ctypes.c_long, numbers)) == 0 else errno.errorcode[ctypes.get_errno()]
def kill(pid, signal=0):
    try:
        os.kill(pid, signal)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
def i386_kill(pid):  # mov eax, 37; mov ebx, pid; xor ecx, ecx; int 0x80
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\\x53\\xb8\\x25\\0\\0\\0\\xbb" + pid.to_bytes(4, "little", signed=True) + b"\\x31\\xc9\\xcd\\x80\\x5b\\xc3")
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return -function()
prctl(PR_SET_NO_NEW_PRIVS, 1)
set_filter(kill_all_refused())
"""


def guarded(code: str) -> list[str]:
    done = rungs.run([], GUARDED + code)
    assert done.stderr == ""
    return done.stdout.split()


def test_a_signal_to_everybody_is_refused_and_to_oneself_to_the_group_and_to_a_child_is_not() -> None:
    code = "print(kill(-1), kill(os.getpid()), kill(0), kill(-os.getpgrp()), kill(2**22 + 1), kill(-(2**22 + 1)))"
    assert guarded(code) == ["EPERM", "done", "done", "done", "ESRCH", "ESRCH"]
    code = "print(subprocess.Popen(['sleep', '60']).send_signal(9), os.wait()[1], kill(-1, 9))"
    assert guarded(f"import subprocess\n{code}") == ["None", "9", "EPERM"]


def test_killpg_of_one_is_a_signal_to_everybody() -> None:
    assert guarded("print(libc.killpg(1, 0), errno.errorcode[ctypes.get_errno()])") == ["-1", "EPERM"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs privilege: a processor with these ABIs")
def test_the_other_abis_of_the_processor_are_no_way_around() -> None:
    numbers = "(62, 0x40000000 | 62)"
    code = f"print(*(call(number, pid, 0) for number in {numbers} for pid in (-1, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF)))"
    assert guarded(code) == ["EPERM"] * 6
    answers = guarded("print(i386_kill(-1), i386_kill(os.getpid()))")
    assert answers[0] == str(int(errno.EPERM))


def run_filter(code: bytes, arch: int, number: int, first: int) -> int:
    """What the kernel would make of a call: a classic BPF machine for the four instructions that occur."""
    data = struct.pack("<iIQ6Q", number, arch, 0, first, 0, 0, 0, 0, 0)
    lines = [struct.unpack("=HBBI", code[at : at + 8]) for at in range(0, len(code), 8)]
    at, accumulator = 0, 0
    while True:
        what, if_true, if_false, k = lines[at]
        at += 1
        if what == 0x20:
            accumulator = int.from_bytes(data[k : k + 4], "little")
        elif what == 0x15:
            at += if_true if accumulator == k else if_false
        else:
            assert what == 0x06
            return int(k)


KILLS = {0xC000003E: {62, 0x40000000 | 62}, 0x40000003: {37}, 0xC00000B7: {129}, 0x40000028: {37},
         0xC00000F3: {129}, 0xC0000015: {37}, 0xC0000102: {129}}  # fmt: skip
NUMBERS = st.one_of(st.sampled_from([37, 62, 129, 0x40000000 | 62, 200, 234, 424]), st.integers(0, 600))
PIDS = st.one_of(
    st.sampled_from([0, 1, -1, -2, 0xFFFFFFFF]), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
)


@given(arch=st.one_of(st.sampled_from([*KILLS]), st.integers(0, 2**32 - 1)), number=NUMBERS, pid=PIDS)
def test_on_every_machine_kill_of_minus_one_is_refused_and_nothing_else(arch: int, number: int, pid: int) -> None:
    answer = run_filter(kill_all_refused(), arch, number, pid & (2**64 - 1))
    everybody = number in KILLS.get(arch, ()) and pid & 0xFFFFFFFF == 0xFFFFFFFF
    assert answer == (0x00050000 | errno.EPERM if everybody else 0x7FFF0000)
