"""What stands at the top of a notebook goes into the sandbox with the code that uses it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from udock_lab import sandbox
from udock_lab.errors import UsageError

NOTEBOOK = """
import ctypes, functools, os, select, sys, threading

lock, again, changed, local = threading.Lock(), threading.RLock(), threading.Condition(), threading.local()
libc = ctypes.CDLL(None, use_errno=True)
libc.getpgid.argtypes, libc.getpgid.restype = [ctypes.c_int], ctypes.c_long
chdir = libc.chdir
poll = select.poll()
out = functools.partial(print, file=sys.stdout)

class Pair(ctypes.Structure):
    _fields_ = [("left", ctypes.c_int), ("right", ctypes.c_char * 3)]

    def total(self):
        return self.left + len(self.right)

pointer = ctypes.POINTER(Pair)
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)

@functools.lru_cache(maxsize=7)
def once():
    return object()

def answer():
    with lock, again, changed:
        local.here = 1
    ctypes.set_errno(0)
    refused = chdir(b"/nowhere")
    pair = Pair(4, b"abc")
    poll.register(1)
    out("said")
    return (
        libc.getpgid(0) == os.getpgid(0), libc.getpgid.restype is ctypes.c_long, refused, ctypes.get_errno(),
        pair.total(), pointer(pair).contents.left, callback(abs)(-3), once() is once(), once.cache_parameters()["maxsize"],
    )
"""


def names(tmp_path: Path, source: str) -> dict[str, Any]:
    """As a notebook has them: of the module ``__main__``."""
    path = tmp_path / "notebook.py"
    path.write_text(source)
    return runpy.run_path(str(path), run_name="__main__")


def test_locks_c_libraries_and_caches_are_made_anew_inside(tmp_path: Path) -> None:
    result = sandbox.run(names(tmp_path, NOTEBOOK)["answer"])
    assert result.value == (True, True, -1, 2, 7, 4, 3, True, 7), result.verdict
    assert "".join(chunk.text for chunk in result.output) == "said\n"


C_TYPES = """
import ctypes, ctypes.wintypes

class Pair(ctypes.Structure):
    _fields_ = [("left", ctypes.c_int), ("rows", ctypes.c_short * 2 * 3)]

class Either(ctypes.Union):
    _fields_ = [("whole", ctypes.c_uint32), ("bytes", ctypes.c_uint8 * 4)]

class Wire(ctypes.BigEndianStructure):
    _fields_ = [("word", ctypes.c_uint16)]

class Pid(ctypes.c_int):
    def shown(self):
        return f"pid {self.value}"

numbers, pairs, words = ctypes.c_int * 3, Pair * 2, ctypes.c_wchar_p * 1
to_int, to_pair, to_array = ctypes.POINTER(ctypes.c_int), ctypes.POINTER(Pair), ctypes.POINTER(ctypes.c_int * 3)
filled, buffer, single = (ctypes.c_int * 3)(7, 8, 9), ctypes.create_string_buffer(b"abc", 8), ctypes.c_double(2.5)
either, wire, size, handle = Either(whole=0x01010101), Wire(258), ctypes.c_size_t, ctypes.wintypes.DWORD
void, char_p = ctypes.c_void_p, ctypes.c_char_p

def answer():
    one = numbers(1, 2, 3)
    return (
        sum(one), len(pairs()), words("x")[0], to_int(ctypes.c_int(5)).contents.value, to_pair(Pair(6)).contents.left,
        to_array(one).contents[2], list(filled), buffer.value, len(buffer), single.value, list(either.bytes),
        bytes(wire), Pid(4).shown(), ctypes.sizeof(size), ctypes.sizeof(handle), len(Pair().rows[0]), void(7).value, char_p(b"c").value,
    )
"""


def test_types_and_values_of_c_are_made_anew_inside(tmp_path: Path) -> None:
    answer = names(tmp_path, C_TYPES)["answer"]
    assert sandbox.run(answer).value == answer()


def test_a_lock_that_is_held_outside_is_open_inside(tmp_path: Path) -> None:
    found = names(tmp_path, "import threading\nlock = threading.Lock()\ndef answer():\n    return lock.locked()")
    with found["lock"]:
        assert sandbox.run(found["answer"]).value is False


def test_exit_of_a_notebook_is_pythons_exit_inside(tmp_path: Path) -> None:
    """IPython's own holds the shell, with its history's database; what it means to a learner is to leave."""
    found = names(
        tmp_path, "from IPython.core.autocall import ExitAutocall\nexit = ExitAutocall()\ndef answer(): exit(42)"
    )
    status = sandbox.run(found["answer"]).exit_status
    assert status is not None
    assert status.code == 42


def test_the_name_that_cannot_be_copied_is_named_and_not_the_function_that_uses_it(tmp_path: Path) -> None:
    source = "ids = (n for n in range(3))\ndef inner():\n    return next(ids)\ndef answer():\n    return inner()"
    with pytest.raises(UsageError, match=r"The name 'ids' \(generator\) cannot be copied"):
        sandbox.run(names(tmp_path, source)["answer"])


def test_a_function_keeps_the_file_that_its_traceback_names() -> None:
    """Cells of a notebook have one name each: without them an error in one looks like any other's."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile("def where():\n    return where.__code__.co_filename\n", "/tmp/ipykernel_1/2.py", "exec"), namespace)
    assert sandbox.run("__value__ = where()", names={"where": namespace["where"]}).value == "/tmp/ipykernel_1/2.py"
