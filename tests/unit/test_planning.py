"""From what was asked for to the list of steps."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.errors import UsageError
from udock_lab.model import ContainerSpec, Limits
from udock_lab.runtime.child.plan import DEFAULT_PATH, Plan, environment
from udock_lab.runtime.client.planning import make_plan, run_request
from udock_lab.runtime.protocol import RunRequest, encode, request_of
from udock_lab.runtime.state.home import Home

word = st.binary(max_size=20).map(lambda data: os.fsdecode(data.replace(b"\0", b"0")))


def plan_of(spec: ContainerSpec, join: int | None = None) -> Plan:
    return make_plan(spec, "/root-of-image", join)[0]


def names(spec: ContainerSpec, join: int | None = None) -> list[str]:
    return [str(step[0]) for step in plan_of(spec, join).steps]


def test_plain_run_steps_in_order() -> None:
    assert names(ContainerSpec(image="demo")) == ["subreaper", "chdir", "chroot", "chdir_inside"]


def test_limits_come_last_because_the_child_needs_memory_until_then() -> None:
    spec = ContainerSpec(image="demo", tty=True, userns=True, limits=Limits(memory=1, cpu=2, files=3))
    assert names(spec) == [
        "subreaper", "terminal", "userns", "setgroups", "uid_map", "gid_map",
        "chdir", "chroot", "chdir_inside", "limit", "limit", "limit",
    ]  # fmt: skip
    assert plan_of(spec).steps[-1] == ("limit", "RLIMIT_AS", 1, 1)


def test_the_guard_comes_last_of_all_and_only_where_it_is_asked_for() -> None:
    spec = ContainerSpec(image="demo", limits=Limits(memory=1), guard=True)
    assert names(spec)[-3:] == ["limit", "signals", "no_new_privs"]
    assert not {"signals", "no_new_privs"} & {*names(ContainerSpec(image="demo"))}


def test_soft_cpu_limit_lies_below_the_hard_one_so_that_sigxcpu_is_seen() -> None:
    spec = ContainerSpec(image="demo", limits=Limits(cpu=5))
    assert plan_of(spec).steps[-1] == ("limit", "RLIMIT_CPU", 5, 6)


def test_exec_joins_the_user_namespace_instead_of_making_one() -> None:
    spec = ContainerSpec(image="demo", userns=True)
    assert "join_userns" in names(spec, join=77) and "userns" not in names(spec, join=77)
    assert "join_userns" not in names(ContainerSpec(image="demo"), join=77)


def test_every_step_describes_itself() -> None:
    spec = ContainerSpec(image="demo", tty=True, userns=True, limits=Limits(memory=1, cpu=2, files=3))
    plan, steps = make_plan(spec, "/r", None)
    described = [step.describe() for step in steps]
    assert len(plan.steps) == len(described)
    assert described[7] == 'chroot("/r")'


def test_a_layer_that_nobody_knows_is_refused_and_not_dropped() -> None:
    with pytest.raises(UsageError, match="no layer 'moon'"):
        plan_of(ContainerSpec(image="demo", layers=(("moon", "full"),)))


def test_layers_may_be_given_as_a_mapping_and_are_kept_as_pairs() -> None:
    spec = ContainerSpec(image="demo", layers={"moon": "full"})  # type: ignore[arg-type]
    assert spec.layers == (("moon", "full"),)
    assert ContainerSpec(image="demo").layers == ()


def test_nothing_is_inherited_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    env = environment(ContainerSpec(image="demo", env=(("A", "b"), ("PATH", "/x"))).env)
    assert env == {"PATH": "/x", "HOME": "/root", "TERM": "xterm", "A": "b"}


def test_bare_name_is_looked_for_in_path_and_a_path_is_not() -> None:
    found = plan_of(ContainerSpec(image="demo", argv=("ls",))).candidates
    assert [*found] == [f"{folder}/ls" for folder in DEFAULT_PATH.split(":")]
    assert plan_of(ContainerSpec(image="demo", argv=("./ls",))).candidates == ("./ls",)


@pytest.mark.parametrize(
    ("path", "found"), [("", ["./ls"]), (":/bin", ["./ls", "/bin/ls"]), ("/bin:", ["/bin/ls", "./ls"]), ("/", ["/ls"])]
)
def test_an_empty_folder_in_path_is_the_current_one(path: str, found: list[str]) -> None:
    spec = ContainerSpec(image="demo", argv=("ls",), env=(("PATH", path),))
    assert [*plan_of(spec).candidates] == found


@pytest.mark.parametrize(
    "spec",
    [
        ContainerSpec(image="demo", argv=("",)),
        ContainerSpec(image="demo", argv=("a\0b",)),
        ContainerSpec(image="demo", argv=("x", "\ud800")),
        ContainerSpec(image="demo", workdir="/\ud800"),
        ContainerSpec(image="demo", env=(("A", "\0"),)),
        ContainerSpec(image="demo", env=(("", "x"),)),
        ContainerSpec(image="demo", env=(("A=B", "x"),)),
        ContainerSpec(image="demo", workdir="/\0"),
    ],
)
def test_what_execve_cannot_carry_is_refused_before_anything_happens(spec: ContainerSpec) -> None:
    with pytest.raises(UsageError):
        plan_of(spec)


@given(argv=st.lists(word, min_size=1, max_size=5).filter(lambda words: bool(words[0])), value=word)
def test_any_words_travel_unchanged(argv: list[str], value: str) -> None:
    spec = ContainerSpec(image="demo", argv=tuple(argv), env=(("A", value),))
    request = request_of(encode(run_request(Home("/home"), spec, "/root-of-image").request))
    assert isinstance(request, RunRequest) and request.spec == spec
    back = Plan.unpack(request.plan)
    assert [*back.argv] == argv and back.env["A"] == value
