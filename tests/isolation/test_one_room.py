"""What isolates a process is said in one room: the calls, the id maps, the capabilities."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab.isolation import sequence  # noqa: F401 - the steps of its layers are known by name
from udock_lab.isolation.step import STEPS

PACKAGE = Path(__file__).resolve().parents[2] / "udock_lab"
CALLS = ["unshare", "setns", "mount", "umount", "umount2", "mount_setattr", "pivot_root", "chroot", "prctl", "capset", "set_capabilities", "bound_capabilities", "drop_capabilities", "set_filter", "set_filter_with_listener", "listener", "keep_to", "scope_signals", "refuse_chroot", "refuse_user_namespaces", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "initgroups", "setrlimit", "prlimit", "nice", "raw_syscall", "CDLL"]  # fmt: skip


def called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def texts(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("path", sorted((PACKAGE / "sandbox").rglob("*.py")), ids=lambda path: path.name)
def test_the_sandbox_isolates_nothing_by_calls_of_its_own(path: Path) -> None:
    own = set(called(path)) & set(CALLS)
    if path.name == "copying.py":  # it copies a learner's own ctypes objects
        own -= {"CDLL"}
    assert own == set()


def test_id_maps_are_written_in_one_place() -> None:
    names = {"uid_map", "gid_map"}
    knowing = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if texts(path) & names}
    steps_so_called = {"isolation/user.py", "runtime/child/rehearse.py"}
    assert knowing == {"linux/idmaps.py"} | steps_so_called


def test_capabilities_are_numbered_and_named_in_one_place() -> None:
    numbered = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id.startswith("CAP_") for target in node.targets)
    }
    named = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "SYS_CHROOT" in texts(path)}
    assert numbered == named == {"linux/capabilities.py"}


def test_no_step_is_known_by_the_words_that_describe_it() -> None:
    """They are for people; a program asks for the name, or for the class."""
    for path in [*(PACKAGE / "runtime").rglob("*.py"), *(PACKAGE / "display").rglob("*.py")]:
        assert texts(path) & {f"{kind.call}(" for kind in STEPS.values()} == set(), path
