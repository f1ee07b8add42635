"""The table of contents of a container: one order, a reason for each place, and steps that are what they say."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab.isolation.ask import IDENTITY, ROOT_IS_NOBODY
from udock_lab.isolation.sequence import OPTIONS, TABLE, steps_of
from udock_lab.isolation.step import STEPS, Step, make_step
from udock_lab.isolation.wanted import Files, PrivateRoot, Wanted

ROOT = PrivateRoot(shown=("/usr", "/bin"), devices=("null",), scratch="/scratch", size="1m", inodes=100)
EVERYTHING = Wanted(
    observed=True,
    adopts_orphans=True,
    death_signal=18,
    terminal=True,
    mapped=ROOT_IS_NOBODY,
    namespaces=("new_mounts", "new_pids"),
    optional_namespaces=("new_network", "new_ipcs", "new_uts"),
    private_root=ROOT,
    rootfs="/r",
    workdir="/w",
    limits=(("RLIMIT_NOFILE", 9, 9),),
    dies_first=True,
    nice=10,
    cwd="/scratch",
    files=Files(reading=("/usr",), devices=("/dev/null",), writing=("/scratch",)),
    uid=2_000_000_123,
    capabilities=(18,),
    bounded=True,
    no_new_privs=True,
    signals_inside=True,
    protected=(1,),
    no_kill_all=True,
)


def names(wanted: Wanted) -> list[str]:
    return [step.name for step in steps_of(wanted)]


def test_who_wants_nothing_is_shut_into_nothing() -> None:
    assert steps_of(Wanted()) == []


def test_every_layer_says_why_it_stands_where_it_stands() -> None:
    assert all(layer.why.strip() for layer in TABLE)
    assert len({layer.name for layer in TABLE}) == len(TABLE)
    assert {layer.name for layer in TABLE if layer.option} == set(OPTIONS)


def test_the_page_on_isolation_has_the_same_layers_in_the_same_order_and_their_calls() -> None:
    page = (Path(__file__).parents[2] / "docs" / "isolation.md").read_text()
    table = page.partition("<!-- the layers, as in sequence.py -->")[2].partition("\n\n")[0]
    rows = [row.split(" | ") for row in table.strip().splitlines()[2:]]
    assert [row[0].removeprefix("| ") for row in rows] == [layer.name for layer in TABLE]
    for row, layer in zip(rows, TABLE, strict=True):
        called = {step.call for step in layer.steps(EVERYTHING)}
        assert called <= set(re.findall(r"\w+", row[1])), f"{layer.name}: {called}"


def test_everything_at_once_is_put_on_in_the_order_that_the_kernel_asks_for() -> None:
    order = names(EVERYTHING)
    first = {name: order.index(name) for name in order}
    for before, after in (
        ("userns", "parent_writes_map"),  # whose map is written must have the namespace
        ("parent_writes_map", "new_mounts"),  # what owns the other namespaces is made first
        ("new_pids", "first_process"),  # unshare(CLONE_NEWPID) counts for children only
        ("hold_open", "leave_groups_if_allowed"),  # the next id may not walk there
        ("setuid", "private_mounts"),  # an id that is not mapped owns no file
        ("first_process", "mount_proc"),  # /proc is the pid namespace's of whoever mounts it
        ("private_mounts", "mount_tmpfs"),  # a shared mount would show it outside
        ("mount_proc", "pivot_root"),
        ("pivot_root", "drop_old_root"),
        ("chdir", "chroot"),
        ("chroot", "chdir_inside"),
        ("chdir_inside", "limit"),
        ("limit", "capset"),
        ("landlock_files", "keep_capabilities"),
        ("bounding_set", "capset"),  # to shrink it takes CAP_SETPCAP
        ("capset", "gain_nothing"),
        ("gain_nothing", "filter_signals"),
        ("filter_signals", "signals"),
    ):
        assert first[before] < first[after], f"{before} comes after {after}"
    assert (order[0], order[-1]) == ("hold", "hold")


def test_groups_go_before_the_group_and_the_group_before_the_user() -> None:
    ids = names(Wanted(uid=7))
    assert ids == ["leave_groups", "setgid", "keep_capabilities", "setuid"]


def test_own_ids_are_mapped_after_setgroups_is_denied() -> None:
    assert names(Wanted(own_ids=(1, 2))) == ["userns", "setgroups", "uid_map", "gid_map"]


def test_who_joins_a_namespace_makes_none() -> None:
    assert names(Wanted(joins=7)) == ["join_userns"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs privilege: root need not deny setgroups")
def test_root_as_a_parent_leaves_setgroups_alone() -> None:
    asked = [step.words()[1] for step in steps_of(Wanted(mapped=IDENTITY)) if step.name == "parent_writes_map"]
    assert asked == ["uid_map", "gid_map"]


def test_each_step_says_its_call_and_is_made_again_from_its_words() -> None:
    for step in steps_of(EVERYTHING):
        again = make_step(step.words())
        assert type(again) is type(step)
        assert again.words() == step.words()
        assert step.call
        assert step.describe()


def test_no_two_steps_share_a_name() -> None:
    steps_of(EVERYTHING)  # which imports every layer
    kinds: list[type[Step]] = list(STEPS.values())
    assert len({kind.name for kind in kinds}) == len(kinds)
    with pytest.raises(AssertionError):
        type("Again", (Step,), {"name": kinds[0].name})


def test_a_containers_child_knows_no_layer_that_mdock_does_not_put_on() -> None:
    """Each fork copies what is imported: the sandbox's layers are found when somebody wants them."""
    code = "import sys, udock_lab.runtime.child.launcher; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    loaded = {name.removeprefix("udock_lab.isolation.") for name in done.stdout.split() if ".isolation." in name}
    assert {"sequence", "step", "root", "user"} <= loaded
    assert not {"ask", "enter", "files", "mapped", "mount", "private_root", "rights", "signals", "trial"} & loaded
    assert not {"dataclasses", "typing", "inspect", "json", "udock_lab.model"} & set(done.stdout.split())


# What a step says it calls, as strace sees it: the step is applied under strace and fails or not, as it may.
SEEN = [
    ["subreaper"],
    ["parent_death_signal", 18],
    ["userns"],
    ["setgroups"],
    ["chdir", "/"],
    ["chroot", "/nowhere"],
    ["limit", "RLIMIT_CPU", 100, 200],
    ["nice", 1],
    ["dies_first"],
    ["new_mounts"],
    ["new_network"],
    ["private_mounts"],
    ["mount_tmpfs", "/nowhere", "size=1m"],
    ["mount_proc", "/nowhere"],
    ["read_only", "/nowhere"],
    ["pivot_root", "/nowhere", "/nowhere/old"],
    ["drop_old_root", "/nowhere"],
    ["hold_open", "/usr"],
    ["first_process"],
    ["leave_groups"],
    ["setgid", 0],
    ["setuid", 0],
    ["keep_capabilities"],
    ["bounding_set", [18]],
    ["capset", [18]],
    ["dumpable", 1],
    ["gain_nothing"],
    ["scope_signals"],
    ["signals", "060000000000ff7f"],
]
UNDER_STRACE = """
import os, sys
from udock_lab.isolation import (files, mapped, mount, namespaces, private_root, rights, sequence, signals)
from udock_lab.isolation.step import Child, make_step
step = make_step(eval(sys.argv[1]))
try:
    os.stat("/BEGIN")
except OSError:
    pass
try:
    step.apply(Child())
except OSError:
    pass
os._exit(0)
"""
ALSO = {  # the kernel's name, where the manual's is another
    "setrlimit": "prlimit64", "fork": "clone", "open": "openat", "nice": "setpriority",
}  # fmt: skip


@pytest.mark.parametrize("words", SEEN, ids=lambda words: words[0])
def test_the_call_that_a_step_names_is_the_one_that_strace_sees(words: list[object], tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    steps_of(EVERYTHING)  # which imports every layer
    log = tmp_path / "strace"
    command = ["strace", "-o", str(log), sys.executable, "-c", UNDER_STRACE, repr(words)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip(f"needs privilege: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    _, found, after = log.read_text().partition("/BEGIN")
    seen = re.findall(r"^(\w+)\(", after, flags=re.M)
    call = make_step(words).call
    assert found and {call, ALSO.get(call, call)} & set(seen), seen


def test_a_parent_writes_no_other_file_than_the_three_and_by_no_other_rule() -> None:
    from udock_lab.isolation.ask import WriteIdMap

    for file, rule in (("../1/uid_map", IDENTITY), ("oom_score_adj", IDENTITY), ("uid_map", "0 0 1")):
        with pytest.raises(ValueError):
            WriteIdMap(file=file, rule=rule)


def test_a_parent_that_has_no_such_child_answers_with_the_errno() -> None:
    from udock_lab.isolation.ask import WriteIdMap, answer

    assert answer(WriteIdMap(file="uid_map", rule=IDENTITY), 2**22) == errno.ENOENT
