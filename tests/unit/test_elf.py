"""Loaders and libraries of real programs, and of programs compiled for the case."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from udock_lab.linux.elf import inspect_elf, libraries, static_program
from udock_lab.linux.elfhead import names_loader

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None, reason="needs privilege: a C compiler is installed by whoever may")


def dynamic_program() -> str:
    """A program of this machine that has a loader."""
    for name in ("ls", "cat", "env"):
        path = shutil.which(name)
        info = inspect_elf(path) if path else None
        if path and info and info.interpreter:
            return path
    return os.path.realpath(sys.executable)


def build(folder: Path, name: str, *options: str, code: str = "int main(void){return 0;}") -> Path:
    source = folder / f"{name}.c"
    source.write_text(code)
    subprocess.run([str(GCC), "-o", str(folder / name), str(source), *options], check=True, capture_output=True)
    return folder / name


def test_a_program_tells_its_loader_libraries_and_machine() -> None:
    info = inspect_elf(dynamic_program())
    assert info is not None
    assert info.interpreter is not None
    assert os.path.exists(info.interpreter)
    assert any(name.startswith("libc.") for name in info.needed)
    assert info.machine == os.uname().machine
    assert info.bits == struct.calcsize("P") * 8
    assert not info.is_static


def test_every_library_of_a_host_program_is_found_as_ldd_finds_it() -> None:
    program = dynamic_program()
    report = libraries(program)
    assert report.missing == ()
    ldd = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    theirs = {line.split()[0]: line.split()[2] for line in ldd.splitlines() if "=> /" in line}
    ours = dict(report.found)
    assert theirs
    for name, path in theirs.items():
        assert os.path.samefile(ours[name], path)


def test_what_is_no_elf_file_is_none(tmp_path: Path) -> None:
    script = tmp_path / "script"
    for content in (b"", b"#!/bin/sh\n", b"\x7fEL", b"\x7fELF", b"\x7fELF" + b"\xff" * 200):
        script.write_bytes(content)
        os.utime(script, ns=(0, len(content)))
        assert inspect_elf(script) is None
        assert libraries(str(script)).found == ()
    assert inspect_elf(tmp_path) is None
    with pytest.raises(FileNotFoundError):
        inspect_elf(tmp_path / "missing")
    assert not static_program(tmp_path / "missing")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_elf_file_never_raises(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(Path(dynamic_program()).read_bytes()[:4096])
    for _ in range(data.draw(st.integers(0, 30))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged{data.draw(st.integers(0, 10**9))}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    info = inspect_elf(path)
    assert info is None or info.bits in (32, 64)
    path.unlink()


@needs_gcc
def test_a_static_program_needs_nothing(tmp_path: Path) -> None:
    program = build(tmp_path, "static", "-static")
    info = inspect_elf(program)
    assert info is not None
    assert info.is_static
    assert static_program(program)
    assert libraries(str(program)).found == ()


@needs_gcc
@pytest.mark.parametrize("tag", ["--enable-new-dtags", "--disable-new-dtags"])
def test_origin_leads_to_libraries_and_to_their_libraries(tmp_path: Path, tag: str) -> None:
    private = tmp_path / "private"
    private.mkdir()
    shared = ("-shared", "-fPIC", f"-Wl,{tag}", f"-L{private}")
    build(private, "libinner.so", *shared, code="int inner(void){return 1;}")
    build(
        private,
        "libouter.so",
        *shared,
        "-linner",
        "-Wl,-rpath,$ORIGIN",
        code="int inner(void);int o(){return inner();}",
    )
    program = build(
        tmp_path,
        "program",
        f"-Wl,{tag}",
        f"-L{private}",
        "-louter",
        "-Wl,-rpath,$ORIGIN/private",
        f"-Wl,-rpath-link,{private}",
        code="int o();int main(void){return o();}",
    )
    report = libraries(str(program))
    assert report.missing == ()
    assert os.path.samefile(dict(report.found)["libinner.so"], private / "libinner.so")
    info = inspect_elf(program)
    assert info is not None
    assert info.inherited == (tag == "--disable-new-dtags")


@needs_gcc
def test_a_missing_library_is_named_inside_a_root(tmp_path: Path) -> None:
    build(tmp_path, "libgone.so", "-shared", "-fPIC", code="int gone(void){return 1;}")
    program = build(tmp_path, "program", f"-L{tmp_path}", "-lgone", code="int gone();int main(void){return gone();}")
    assert libraries(str(program)).missing == ("libgone.so",)
    root = tmp_path / "root"
    (root / "etc/ld.so.conf.d").mkdir(parents=True)
    (root / "opt/lib").mkdir(parents=True)
    shutil.copy(program, root / "program")
    missing = libraries(str(root / "program"), str(root)).missing
    assert missing[0] == "libgone.so"
    assert any(name.startswith("libc.") for name in missing)
    shutil.copy(tmp_path / "libgone.so", root / "opt/lib")
    (root / "etc/ld.so.conf").write_text("# first\ninclude /etc/ld.so.conf.d/*.conf\n")
    (root / "etc/ld.so.conf.d/own.conf").write_text("/opt/lib\n")
    report = libraries(str(root / "program"), str(root))
    assert ("libgone.so", "/opt/lib/libgone.so") in report.found


def test_the_quick_look_says_the_same_of_a_loader_as_the_whole_one() -> None:
    seen = set()
    for path in [Path(sys.executable), *sorted(Path("/usr/bin").iterdir())[:200]]:
        if path.is_file() and os.access(path, os.R_OK):
            info = inspect_elf(path)
            assert names_loader(path) == (info is not None and info.interpreter is not None), path
            seen.add(names_loader(path))
    assert True in seen


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 120), st.binary(min_size=1, max_size=8), st.integers(0, 4096))
def test_the_quick_look_at_a_damaged_program_answers(tmp_path: Path, at: int, damage: bytes, kept: int) -> None:
    data = bytearray(Path(dynamic_program()).read_bytes()[: max(kept, at + len(damage))])
    data[at : at + len(damage)] = damage
    (tmp_path / "damaged").write_bytes(data)
    assert names_loader(tmp_path / "damaged") in (True, False)
