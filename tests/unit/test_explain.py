"""Each way for a program not to start, made for real, refused by the real execve, and explained."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from chrooting import CHROOT, WORKS, be_able_to_chroot, needs_chroot
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.linux.elf import inspect_elf
from udock_lab.linux.resolve import resolve_in_root
from udock_lab.runtime.client.explain.refusal import explain_exec_failure
from udock_lab.runtime.client.explain.started import explain_exit_127
from udock_lab.runtime.image.rootfs import make_rootfs

pytestmark = pytest.mark.forks
PATH = ("/usr/bin", "/bin")
S390X = 22  # EM_S390 (elf(5)): no laptop is one


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explain") / "root"
    make_rootfs(root, source="host")
    return root


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "root", symlinks=True, ignore=shutil.ignore_patterns("dev")))


def execve_errno(root: Path, path: str, argv: list[str]) -> int:
    """What the kernel says of it inside a chroot; 0 when the program starts."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        number = 0
        try:
            os.close(reader)
            be_able_to_chroot()
            os.chroot(root)
            os.chdir("/")
            os.execve(path, argv, {"PATH": "/bin"})
        except OSError as error:
            number = error.errno or 0
        finally:
            os.write(writer, b"%d" % number)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return int(said or b"0")


def explained(root: Path, path: str, number: int, argv: list[str] | None = None) -> str:
    """The kernel gives this errno, and this is what is said of it."""
    if WORKS:
        assert execve_errno(root, path, argv or [path]) == number
    return " ".join(explain_exec_failure(str(root), [path], number, "/", path, image="demo"))


def write(root: Path, inside: str, content: bytes, mode: int = 0o755) -> str:
    place = root / inside.lstrip("/")
    place.write_bytes(content)
    place.chmod(mode)
    return inside


# -- ENOENT: four different things


def test_an_image_without_ls_is_looked_at_from_outside(tmp_path: Path) -> None:
    said = explain_exec_failure(str(tmp_path), ["/bin/sh"], errno.ENOENT, "/", "/bin/sh", image="demo")
    assert said[1] == f"See what is there: ls -la {tmp_path}"


def test_a_missing_program_is_named_with_the_nearest_one(root: Path) -> None:
    said = explained(root, "/bin/slepe", errno.ENOENT)
    assert "/bin/slepe does not exist inside the image" in said
    assert "'sleep'" in said
    assert "mdock run demo ls /bin" in said


def test_a_bare_name_says_where_it_was_sought(root: Path) -> None:
    tried = [f"{folder}/slepe" for folder in PATH]
    message, hint = explain_exec_failure(str(root), tried, errno.ENOENT, "/", "slepe", image="demo")
    assert message == "The image has no program 'slepe' in /usr/bin, /bin."
    assert "'sleep'" in hint


def test_a_missing_folder_is_named(root: Path) -> None:
    assert "there is no folder /opt" in explained(root, "/opt/app/start", errno.ENOENT)


def test_a_whole_command_in_one_word_is_recognised(root: Path) -> None:
    message, hint = explain_exec_failure(str(root), ["/bin/ls -l"], errno.ENOENT, "/", "ls -l", image="demo")
    assert "mdock run demo ls -l" in hint
    assert message


def test_a_dangling_symlink_is_named_with_its_target(root: Path) -> None:
    (root / "app").symlink_to("/opt/app")
    assert "/app is a symlink to /opt/app" in explained(root, "/app", errno.ENOENT)
    (root / "first").symlink_to("app")
    assert "/app is a symlink to /opt/app" in explained(root, "/first", errno.ENOENT)
    (root / "folder").symlink_to("nowhere")
    assert "/folder is a symlink to nowhere" in explained(root, "/folder/prog", errno.ENOENT)


def test_a_symlink_that_works_on_the_host_only_is_explained(root: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (root / "hostlink").symlink_to(tmp_path / "real")
    assert "not the host's" in explained(root, "/hostlink", errno.ENOENT)


def test_a_missing_interpreter_is_named(root: Path) -> None:
    path = write(root, "/script", b"#!/usr/bin/python9 -u\n")
    assert "/script is a script for /usr/bin/python9, and /usr/bin/python9 does not exist" in explained(
        root, path, errno.ENOENT
    )


def test_windows_line_ends_are_recognised(root: Path) -> None:
    path = write(root, "/script", b"#!/bin/sh\r\necho hi\r\n")
    said = explained(root, path, errno.ENOENT)
    assert "carriage return" in said
    assert "sed -i" in said


def loader_of(root: Path) -> tuple[str, Path]:
    info = inspect_elf(resolve_in_root(str(root), "/bin/ls"))
    assert info is not None
    assert info.interpreter is not None
    return info.interpreter, Path(resolve_in_root(str(root), info.interpreter))


def test_a_missing_loader_is_named(root: Path) -> None:
    name, place = loader_of(root)
    place.unlink()
    said = explained(root, "/bin/ls", errno.ENOENT)
    assert name in said
    assert "/bin/ls exists, but" in said or "symlink" in said


def test_the_missing_loader_of_an_interpreter_is_named(root: Path) -> None:
    name, place = loader_of(root)
    place.unlink()
    said = explained(root, write(root, "/script", b"#!/bin/sh\n"), errno.ENOENT)
    assert "/script is a script for /bin/sh." in said
    assert name in said


# -- the other errnos


def test_a_file_without_the_x_bit_shows_its_mode(root: Path) -> None:
    said = explained(root, write(root, "/data", b"#!/bin/sh\n", 0o644), errno.EACCES)
    assert "0644 (-rw-r--r--)" in said
    assert "chmod +x" in said


def test_a_directory_is_called_one(root: Path) -> None:
    assert "/etc is a directory" in explained(root, "/etc", errno.EACCES)


def test_an_interpreter_without_the_x_bit_is_named(root: Path) -> None:
    write(root, "/interp", b"#!/bin/sh\n", 0o600)
    said = explained(root, write(root, "/script", b"#!/interp\n"), errno.EACCES)
    assert "/interp is not executable" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"echo hi\n", "without a '#!' line"),
        (b"#!\n", "names no interpreter"),
        (b"#! \necho\n", "names no interpreter"),
        (b"\x00\x01\x02", "neither an ELF program"),
        (b"\x7fELF\x02\x01\x01", "damaged"),
    ],
)
def test_what_the_kernel_cannot_run_is_called_by_its_name(root: Path, content: bytes, words: str) -> None:
    assert words in explained(root, write(root, "/thing", content), errno.ENOEXEC)


def foreign_program(root: Path, name: str = "foreign", of: str = "/bin/ls") -> str:
    """A program that says it is for another machine."""
    code = bytearray(Path(resolve_in_root(str(root), of)).read_bytes())
    struct.pack_into("<H", code, 18, S390X)
    return write(root, f"/{name}", bytes(code))


def test_a_program_for_another_machine_is_named(root: Path) -> None:
    """Not asked of the kernel here: where an emulator is registered, it runs."""
    said = " ".join(explain_exec_failure(str(root), [foreign_program(root)], errno.ENOEXEC, "/", "foreign"))
    assert "program for s390x" in said
    assert os.uname().machine in said


def run_where_an_emulator_is_registered(
    emulator: str, flags: str, root: Path, *argv: str
) -> subprocess.CompletedProcess[str]:
    """`mdock run` in a user namespace that has a binfmt_misc of its own: an emulator for s390x, and nobody else sees it."""
    magic = r"\x7fELF" + r"\x00" * 14 + r"\x16\x00"
    mask = r"\xff\xff\xff\xff" + r"\x00" * 14 + r"\xff\xff"
    story = """
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77
        printf %s "$0" >/proc/sys/fs/binfmt_misc/register || exit 77
        "$1" -m udock_lab.cli build demo "$2" >/dev/null && shift && shift && exec "$@"
    """
    entry = f":s390x:M::{magic}:{mask}:{emulator}:{flags}"
    run = [sys.executable, str(root), sys.executable, "-m", "udock_lab.cli", "run", "demo", *argv]
    environment = os.environ | {"HOME": str(root.parent)}
    environment.pop("MDOCK_HOME", None)
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", story, entry, *run]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"needs privilege: a binfmt_misc of one's own (Linux 6.7): {done.stderr}")
    return done


def speaking(folder: Path, body: str) -> str:
    """A static program that stands for an emulator, and says what it was started for."""
    if shutil.which("gcc") is None:
        pytest.skip("needs privilege: gcc is missing")
    (folder / "emulator.c").write_text(f"#include <stdio.h>\nint main(int n, char **argv) {{ {body} }}")
    program = folder / "emulator"
    subprocess.run(["gcc", "-static", "-o", str(program), str(folder / "emulator.c")], check=True)
    return str(program)


def test_a_program_of_another_machine_runs_where_an_emulator_is_registered(root: Path, tmp_path: Path) -> None:
    emulator = speaking(tmp_path, 'printf("emulated %s\\n", argv[1]); return 42;')
    done = run_where_an_emulator_is_registered(emulator, "F", root, foreign_program(root))
    assert (done.returncode, done.stdout) == (42, "emulated /foreign\n"), done.stderr


@pytest.mark.parametrize("code", [1, 255])
def test_an_emulator_that_lacks_the_loader_inside_is_explained(root: Path, tmp_path: Path, code: int) -> None:
    emulator = speaking(tmp_path, f"return {code};")
    loader, place = loader_of(root)
    program = foreign_program(root)
    place.unlink()
    done = run_where_an_emulator_is_registered(emulator, "F", root, program)
    assert done.returncode == code
    assert f"the emulator did not find the ELF loader {loader}" in " ".join(done.stderr.split())
    assert "s390x" in done.stderr


def test_an_emulator_that_is_looked_up_inside_and_missing_there_is_named(root: Path) -> None:
    done = run_where_an_emulator_is_registered("/usr/bin/qemu-s390x-static", "", root, foreign_program(root))
    said = " ".join(done.stderr.split())
    assert done.returncode == 127
    assert "/foreign is a program for s390x" in said
    assert "/usr/bin/qemu-s390x-static, which does not exist inside the image" in said
    assert "flag F" in said


def test_an_emulator_inside_the_image_that_cannot_start_itself_is_told_apart(root: Path) -> None:
    write(root, "/emulator", b"#!/no/such\n")
    done = run_where_an_emulator_is_registered("/emulator", "", root, foreign_program(root))
    said = " ".join(done.stderr.split())
    assert done.returncode == 127
    assert "to be run by /emulator. /emulator is a script for /no/such" in said


def test_a_script_whose_interpreter_cannot_be_run_names_it(root: Path) -> None:
    write(root, "/interp", b"just text\n")
    said = explained(root, write(root, "/script", b"#!/interp\n"), errno.ENOEXEC)
    assert "/interp is a text without" in said


def test_a_file_used_as_a_folder_is_named(root: Path) -> None:
    assert "/etc/passwd is a file, not a directory" in explained(root, "/etc/passwd/x", errno.ENOTDIR)


def test_a_circle_of_symlinks_is_called_one(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert "40 symlinks" in explained(root, "/a", errno.ELOOP)


def test_too_long_arguments_say_the_limit(root: Path) -> None:
    assert "128 KiB" in explained(root, "/bin/true", errno.E2BIG, ["true", "x" * (1 << 18)])


def test_a_program_open_for_writing_is_busy(root: Path) -> None:
    with open(resolve_in_root(str(root), "/bin/true"), "r+b"):
        assert "open for writing" in explained(root, "/bin/true", errno.ETXTBSY)


def test_a_loader_that_is_none_is_elibbad(root: Path) -> None:
    name, place = loader_of(root)
    place.write_bytes(b"\x7fNOT" + b"x" * 4096)
    number = execve_errno(root, "/bin/ls", ["ls"]) if WORKS else errno.ELIBBAD
    said = " ".join(explain_exec_failure(str(root), ["/bin/ls"], errno.ELIBBAD, "/", "/bin/ls"))
    assert number in (errno.ELIBBAD, errno.ENOEXEC, errno.EIO)
    assert name in said


def test_a_relative_path_is_meant_from_the_working_directory(root: Path) -> None:
    message, _ = explain_exec_failure(str(root), ["./slep"], errno.ENOENT, "/bin", "./slep")
    assert "/bin/./slep does not exist" in message


@given(
    st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text), max_size=3),
    st.integers(0, 140),
    st.text(min_size=1).filter(lambda text: "\0" not in text),
)
def test_any_failure_gets_a_message(base: Path, candidates: list[str], number: int, argv0: str) -> None:
    message, hint = explain_exec_failure(str(base), candidates, number, "/", argv0)
    assert message
    assert isinstance(hint, str)


def test_an_image_that_is_gone_gets_a_message_too(tmp_path: Path) -> None:
    message, _ = explain_exec_failure(str(tmp_path / "gone"), ["/bin/sh"], errno.ENOENT, "/", "/bin/sh")
    assert "/bin/sh does not exist" in message


# -- 127 from the loader


def take_libc(root: Path) -> str:
    from udock_lab.linux.elf import libraries

    found = dict(libraries(resolve_in_root(str(root), "/bin/ls"), str(root)).found)
    name = next(name for name in found if name.startswith("libc."))
    os.unlink(resolve_in_root(str(root), found[name]))
    return name


@needs_chroot
def test_a_missing_library_is_the_loaders_127_and_no_exec_failure(root: Path) -> None:
    name = take_libc(root)
    done = subprocess.run([*CHROOT, str(root), "/bin/ls"], capture_output=True, check=False)
    assert done.returncode == 127
    assert execve_errno(root, "/bin/ls", ["ls"]) == 0
    said = explain_exit_127(str(root), resolve_in_root(str(root), "/bin/ls"))
    assert said is not None
    assert name in said
    assert "execve succeeded" in said
    assert "no EXEC_FAIL" in said


def test_the_library_of_a_scripts_interpreter_counts(root: Path) -> None:
    name = take_libc(root)
    write(root, "/script", b"#!/bin/sh\n")
    assert name in (explain_exit_127(str(root), str(root / "script")) or "")


def test_a_program_that_says_127_itself_is_not_explained_away(root: Path) -> None:
    assert explain_exit_127(str(root), resolve_in_root(str(root), "/bin/sh")) is None
    assert explain_exit_127(str(root), str(root / "nothing")) is None
    assert explain_exit_127(str(root), str(root / "etc/passwd")) is None
