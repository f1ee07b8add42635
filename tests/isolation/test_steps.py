"""Each step says what it is and does it, in a child."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable

import pytest
from chrooting import be_able_to_chroot, needs_chroot

from udock_lab.isolation import sequence  # noqa: F401 - the steps of its layers are known by name
from udock_lab.isolation.ask import IDENTITY, Ask, WriteIdMap
from udock_lab.isolation.step import STEPS, Child, apply, make_step, optional

pytestmark = pytest.mark.forks


def in_child(work: Callable[[], int]) -> int:
    """The number that ``work`` returns in a forked child; the errno of an OSError plus 100."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work())
        except OSError as error:
            os._exit(100 + (error.errno or 0))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["subreaper"], "prctl(PR_SET_CHILD_SUBREAPER, 1)"),
        (["chdir", "/r"], 'chdir("/r")'),
        (["chroot", "/r"], 'chroot("/r")'),
        (["chdir_inside", "/w"], 'chdir("/w")'),
        (["userns"], "unshare(CLONE_NEWUSER)"),
        (["setgroups"], 'write(open("/proc/self/setgroups"), "deny")'),
        (["uid_map", 7], 'write(open("/proc/self/uid_map"), "0 7 1")'),
        (["gid_map", 7], 'write(open("/proc/self/gid_map"), "0 7 1")'),
        (["join_userns", 7], "setns(pidfd_open(7), CLONE_NEWUSER)"),
        (["terminal"], "ioctl(0, TIOCSCTTY)"),
        (["signals", "00"], "prctl(PR_SET_SECCOMP, no kill(-1))"),
        (["no_new_privs"], "prctl(PR_SET_NO_NEW_PRIVS, 1), if the filter needs it"),
        (["limit", "RLIMIT_CPU", 1, 2], "setrlimit(RLIMIT_CPU, soft=1, hard=2)"),
    ],
)
def test_step_reads_as_the_call_a_person_writes(words: list[object], call: str) -> None:
    assert make_step(words).describe() == call


def test_every_step_carries_its_own_name() -> None:
    assert all(name == step.name for name, step in STEPS.items())


def test_step_with_a_wrong_number_of_words_is_refused() -> None:
    with pytest.raises(ValueError):
        make_step(["chdir"])


def test_chdir_and_its_refusal(tmp_path: os.PathLike[str]) -> None:
    child = Child(str(tmp_path))

    def there() -> int:
        make_step(["chdir", str(tmp_path)]).apply(child)
        return int(os.getcwd() == str(tmp_path))

    assert in_child(there) == 1
    assert in_child(lambda: make_step(["chdir", "/no"]).apply(child) or 0) == 100 + errno.ENOENT


def test_only_a_refused_privilege_lets_the_run_go_on_without_chroot() -> None:
    assert make_step(["chroot", "/"]).optional_errnos == (errno.EPERM,)
    assert make_step(["chdir", "/"]).optional_errnos == ()


@needs_chroot
def test_chroot_changes_what_slash_means(tmp_path: os.PathLike[str]) -> None:
    open(os.path.join(tmp_path, "mark"), "w").close()
    child = Child(str(tmp_path))

    def work() -> int:
        be_able_to_chroot()
        make_step(["chdir", str(tmp_path)]).apply(child)
        make_step(["chroot", str(tmp_path)]).apply(child)
        make_step(["chdir_inside", "/"]).apply(child)
        return int(os.path.exists("/mark") and os.getcwd() == "/" and child.inside)

    assert in_child(work) == 1


def test_without_chroot_the_working_folder_is_found_inside_the_root(tmp_path: os.PathLike[str]) -> None:
    os.makedirs(os.path.join(tmp_path, "real"))
    os.symlink("/real", os.path.join(tmp_path, "link"))
    child = Child(str(tmp_path))

    def work() -> int:
        make_step(["chdir_inside", "/link"]).apply(child)
        return int(os.getcwd() == os.path.join(tmp_path, "real"))

    assert in_child(work) == 1
    assert in_child(lambda: make_step(["chdir_inside", "/etc"]).apply(child) or 0) == 100 + errno.ENOENT


def test_limit_is_what_the_kernel_holds_afterwards() -> None:
    def work() -> int:
        make_step(["limit", "RLIMIT_NOFILE", 17, 17]).apply(Child("/"))
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    assert in_child(work) == 17


def test_limit_that_makes_no_sense_is_an_oserror_not_a_valueerror() -> None:
    assert in_child(lambda: make_step(["limit", "RLIMIT_CPU", 9, 3]).apply(Child("/")) or 0) == 100 + errno.EPERM


def test_a_step_that_may_be_refused_is_noted_and_any_other_ends_it() -> None:
    child = Child()
    step = optional(make_step(["chdir", "/no/such/folder"]))
    apply(step, child)
    assert child.refused["chdir"] == errno.ENOENT and child.failed is None
    with pytest.raises(FileNotFoundError):
        apply(make_step(["chdir", "/no/such/folder"]), child)
    assert child.failed is not None and child.failed.name == "chdir"


def test_a_parent_s_refusal_is_an_oserror_with_its_errno_and_the_path() -> None:
    class Refusing:
        def ask(self, ask: Ask) -> int:
            return errno.EACCES

        def inside(self) -> None: ...
        def ended(self, status: int) -> None: ...
        def alone(self) -> None: ...

    with pytest.raises(PermissionError) as caught:
        Child(parent=Refusing()).ask(WriteIdMap(file="uid_map", rule=IDENTITY))
    assert caught.value.filename == "/proc/self/uid_map"
    with pytest.raises(BrokenPipeError):
        Child().ask(WriteIdMap(file="uid_map", rule=IDENTITY))
