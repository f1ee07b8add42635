"""M2.2's judge: what is one line of warning, who is where, and which misconception is named."""

from __future__ import annotations

import errno
import os

import pytest

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercises.m2_2_chroot_permissions import diagnose
from udock_lab.grading.exercises.m2_2_chroot_permissions.attempt import Attempt, Call
from udock_lab.grading.exercises.m2_2_chroot_permissions.judge import OTHERS
from udock_lab.grading.inside import said
from udock_lab.model import SystemCall


def returned(value: object, stderr: str = "", stdout: str = "", late: str = "") -> Call:
    heard = ev.heard(said(lambda: value))
    assert heard is not None
    return Call(heard, stdout, stderr, late)


def raised(error: BaseException) -> Call:
    def enter() -> None:
        raise error

    heard = ev.heard(said(enter))
    assert heard is not None
    return Call(heard, "", "", "")


def attempt(
    *calls: Call, root: str = "/", cwd: str = "rootfs", record: tuple[str, ...] = (), **facts: object
) -> Attempt:
    """One process; ``record`` in the form that strace prints: ``chroot(".") = -1 EPERM``."""
    known = {"path": "images/demo/rootfs", "rights": "none", "came": "back", "why": "", "left": (), "above": ()}
    known |= {"uid": 0, "users": "ours", "watched": True}
    return Attempt(calls=calls, root=root, cwd=cwd, record=tuple(map(call, record)), **(known | facts))  # type: ignore[arg-type]


def call(printed: str) -> SystemCall:
    name, _, rest = printed.partition("(")
    arguments, _, result = rest.rpartition(") = ")
    word = result.partition(" ")[2]
    return SystemCall(pid=1, name=name, arguments=arguments, result=result, start=0, end=0, errno=word)


def os_error(number: int, path: str = "/scratch/srv/images/demo/rootfs") -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("stderr", "lines"),
    [
        ("chroot refused\n", 1),
        ("chroot refused", 1),
        ("\nchroot refused\n\n", 1),
        ("one\ntwo\n", 2),
        ("<your solution>:14: UserWarning: refused\n  warnings.warn('refused')\n", 1),
        ("/a b/cell.py:14: RuntimeWarning: refused\n", 1),
        ("refused\n  going on\n", 2),
        ("a:1: UserWarning: one\n  warn()\na:1: UserWarning: two\n  warn()\n", 4),
        ("  \n", 0),
        ("", 0),
    ],
)
def test_a_warning_of_pythons_with_its_source_below_is_one_line_and_two_lines_are_two(stderr: str, lines: int) -> None:
    assert len(returned("chdir", stderr).lines) == lines


def test_a_process_is_where_the_referee_has_seen_it() -> None:
    assert attempt(returned("chroot"), root="rootfs").is_at("rootfs", "rootfs")
    assert not attempt(returned("chroot")).is_at("rootfs", "rootfs")
    assert not attempt(returned("chdir"), cwd="/").is_at("/", "rootfs")


def test_the_word_is_what_every_call_returned() -> None:
    assert attempt(returned("chdir"), returned("chdir")).word == "chdir"
    assert attempt(returned("chdir"), returned(None)).word == ""
    assert attempt(returned("chdir"), raised(os_error(errno.EPERM))).word == ""
    assert attempt(returned(b"chdir")).word == ""


PERM = attempt(raised(os_error(errno.EPERM)))


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (attempt(returned("chroot"), record=('chroot(".") = -1 EPERM',)), "the word for what was refused"),
        (attempt(returned("chdir"), cwd="/"), "chdir to / after a refused chroot"),
        (attempt(returned("chdir"), cwd="where it was"), "the refusal swallowed"),
        (attempt(returned("chdir"), cwd="where it was", record=("vfork() = 7",)), "another process moved"),
        (attempt(returned("chdir"), root="rootfs"), "a user namespace of one's own"),
        (attempt(returned("chdir"), record=("unshare(CLONE_NEWUSER) = -1 EPERM",)), "a user namespace of one's own"),
        (attempt(returned("chdir"), users="elsewhere", watched=False), "a user namespace of one's own"),
        (attempt(returned(None), cwd="rootfs"), "without a return"),
        (attempt(returned(None, stdout="chdir\n")), "printed, not returned"),
        (attempt(raised(AttributeError("EPREM"))), "never been run before"),
        (attempt(raised(SystemExit(1))), "exit called in a function"),
        (attempt(raised(os_error(errno.ENOENT, "/srv/images/other"))), "another path than the one that was given"),
        (attempt(came="late", record=('chroot(".") = -1 EPERM',) * 3), "tried again and again"),
        (attempt(came="ended"), "the process ended inside enter"),
        (PERM, "nothing meets the refusal"),
    ],
)
def test_a_refusal_that_is_not_met_has_its_cause_named(seen: Attempt, cause: str) -> None:
    assert cause in diagnose.refusal_not_met(seen, has_the_right=False)


def test_eperm_in_spite_of_the_capability_is_a_cause_of_its_own() -> None:
    assert "the capability taken for the answer" in diagnose.refusal_not_met(PERM, has_the_right=True)


@pytest.mark.parametrize(
    ("forgiven", "cause"),
    [
        (OTHERS, "any OSError of chroot"),
        ((errno.EACCES,), "any PermissionError"),
        ((errno.EACCES, errno.ENOMEM, errno.EFAULT), "told apart by their text"),
        (tuple(set(OTHERS) - {errno.ENOENT, errno.ENOTDIR, errno.EACCES}), "a list of errors to raise"),
        ((errno.ENOMEM,), "ENOMEM forgiven as well"),
    ],
)
def test_the_rule_by_which_errors_are_forgiven_is_found_out(forgiven: tuple[int, ...], cause: str) -> None:
    wrong = [(attempt(returned("chdir")), number) for number in OTHERS if number in forgiven]
    assert cause in diagnose.forgiven_too(wrong, OTHERS)


def test_an_error_that_no_branch_names_is_told_from_one_that_is_forgiven() -> None:
    wrong = [(attempt(returned(None)), number) for number in (errno.ELOOP, errno.ENOSYS)]
    assert "falls through" in diagnose.forgiven_too(wrong, OTHERS)


@pytest.mark.parametrize(
    ("error", "number", "cause"),
    [
        (os_error(errno.ENOENT), errno.EACCES, "exists and isdir say False for what may not be seen"),
        (os_error(errno.ENOENT), errno.ENOTDIR, "does not say why"),
        (OSError("no such folder"), errno.ENOENT, "made from a text alone"),
        (ValueError("no folder"), errno.ENOENT, "replaced by ValueError"),
        (SystemExit(1), errno.ENOENT, "exit called in a function"),
        (os_error(errno.EIO), errno.ENOENT, "replaced by another"),
    ],
)
def test_an_error_that_is_replaced_has_its_cause_named(error: BaseException, number: int, cause: str) -> None:
    assert cause in diagnose.error_not_raised(attempt(raised(error)), number, forgives=False)


@pytest.mark.parametrize(
    ("line", "number", "cause"),
    [
        (returned("chdir", late="refused\n"), 0, "still in its buffer"),
        (returned("chdir", stdout="refused\n"), 0, "output taken for the place of warnings"),
        (returned("chdir"), 1, "warned once for the whole process"),
        (returned("chdir", "one\ntwo\n"), 0, "one line is read"),
    ],
)
def test_a_missing_warning_has_its_cause_named(line: Call, number: int, cause: str) -> None:
    assert cause in diagnose.no_one_line(line, number, traceback=False)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (('chdir("images/demo/rootfs") = 0', 'chroot("images/demo/rootfs") = -1 ENOENT'), "the path used twice"),
        (('chdir("/images/demo/rootfs") = -1 ENOENT',), "taken for one that starts at /"),
        (('chdir("/") = 0', 'chroot("images/demo/rootfs") = -1 ENOENT'), "taken for one that starts at /"),
        (('chroot("/scratch/images/demo/rootfs") = -1 ENOENT',), "the working directory of another moment"),
    ],
)
def test_a_relative_path_that_leads_elsewhere_has_its_cause_named(record: tuple[str, ...], cause: str) -> None:
    seen = attempt(raised(os_error(errno.ENOENT)), cwd="where it was", record=record)
    assert cause in diagnose.another_folder(seen)
