"""The sandbox where the machine permits less: the same answers, and it says what is missing."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import rungs

SHOW = """
import json, os, sys
from udock_lab import sandbox
result = sandbox.run({source!r}, **{options!r})
print(json.dumps({{"out": result.stdout, "err": result.stderr, "guard": result.guard, "identity": result.identity,
                   "untraced": result.untraced, "verdict": result.verdict, "kernel": os.getpid(),
                   "roles": [p.role for p in result.processes], "calls": [str(c) for c in result.calls],
                   "statuses": [p.status and p.status.raw for p in result.processes]}}))
"""
CHROOT = """
import os
print(os.getuid())
try:
    os.chroot("/tmp")
    print("chroot worked")
except PermissionError as refused:
    print(refused.strerror)
if os.fork() == 0: os._exit(3)
print(os.wait()[1])
"""
# Signal 0 asks for permission and does no harm, should the guard fail.
SIGNALS = """
import os
keeper = int(open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[1])
for name, pid in (("keeper or strace", keeper), ("everybody", -1), ("group", -os.getsid(os.getpid()))):
    try: os.kill(pid, 0); print(name, "permitted")
    except PermissionError: print(name, "refused")
"""
ALL_GUARDS = "refuse=unshare,landlock,seccomp"

RUNGS = [
    ([], "landlock", "user namespace"),
    (["refuse=unshare"], "landlock", "plain"),
    (["refuse=landlock"], "seccomp", "user namespace"),
    (["refuse=landlock,unshare"], "seccomp", "plain"),
    ([ALL_GUARDS], "none", "plain"),
    (["nobody"], "landlock", "user namespace"),
    (["nobody", "refuse=unshare"], "landlock", "plain"),
    (["nobody", "refuse=landlock"], "seccomp", "user namespace"),
    (["nobody", "refuse=landlock,unshare"], "seccomp", "plain"),
    (["nobody", ALL_GUARDS], "none", "plain"),
]  # fmt: skip
PERMITS = {"landlock": 0, "seccomp": 1, "none": 2}


def show(words: list[str], source: str, env: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    done = rungs.run(words, SHOW.format(source=source, options=options), **(env or {}))
    if not done.stdout and "Operation not permitted" in done.stderr:
        pytest.skip(f"needs privilege: {done.stderr.splitlines()[-1]}")
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """What this machine itself permits."""
    return show([], CHROOT)


@pytest.mark.parametrize(("words", "guard", "identity"), RUNGS)
def test_rung_is_stood_on_and_named(words: list[str], guard: str, identity: str, here: dict[str, Any]) -> None:
    seen = show(words, CHROOT, trace=True)
    assert PERMITS[seen["guard"]] >= PERMITS[here["guard"]]
    if here["guard"] == "landlock":
        assert seen["guard"] == guard
    if here["identity"] == "user namespace":
        assert seen["identity"] == identity
    assert seen["roles"] == ["parent", "child 1"], seen
    uid, chroot, status = seen["out"].splitlines()
    assert uid == str(rungs.NOBODY if "nobody" in words and os.geteuid() == 0 else os.geteuid())
    if uid != "0":
        assert chroot == "Operation not permitted"
    assert status == "768"
    assert seen["untraced"] or seen["statuses"] == [0, 768]
    assert seen["err"] == ""


@pytest.mark.parametrize("words", [[], ["nobody"]])
def test_without_landlock_seccomp_refuses_signals_to_everybody_and_to_those_above(words: list[str]) -> None:
    seen = show([*words, "refuse=landlock"], SIGNALS)
    if seen["guard"] != "seccomp":
        pytest.skip("needs privilege: no seccomp filter here")
    assert seen["out"].splitlines() == ["keeper or strace refused", "everybody refused", "group permitted"]


def test_without_landlock_the_kernel_is_not_killed() -> None:
    code = f"{SHOW.format(source='x', options={})}"
    code = code.replace(
        "sandbox.run('x', **{})", "sandbox.run('import os; os.kill(pid, 9)', names={'pid': os.getpid()})"
    )
    done = rungs.run(["refuse=landlock"], code)
    seen = json.loads(done.stdout)
    assert seen["guard"] == "seccomp"
    assert "PermissionError" in seen["err"]


@pytest.mark.parametrize("words", [["refuse=ptrace"], ["nobody", "refuse=ptrace"]])
def test_where_ptrace_is_refused_the_run_goes_on_and_says_why_there_are_no_calls(words: list[str]) -> None:
    seen = show(words, CHROOT, trace=True)
    assert seen["untraced"].startswith("strace may not trace here: ")
    assert "Operation not permitted" in seen["untraced"]
    assert "%mdock doctor" in seen["untraced"]
    assert seen["calls"] == []
    assert seen["roles"] == ["parent", "child 1"]
    assert seen["err"] == ""


def test_where_strace_is_missing_the_run_goes_on_and_says_how_to_get_it() -> None:
    seen = show([], CHROOT, env={"PATH": "/no/such"}, trace=True)
    assert seen["untraced"] == "strace is not installed. Get it with: sudo apt-get install strace"
    assert seen["roles"] == ["parent", "child 1"]
    assert seen["statuses"] == [0, None]


@pytest.mark.parametrize("words", [["nobody"], ["nobody", ALL_GUARDS]])
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import os\nwhile True: os.fork()", "more than 64 processes at once"),
        ("import os\nwhile True:\n  if os.fork() == 0: os.setsid()", "more than 64 processes at once"),
        ("import os\nos.mkdir('d')\nopen('d/f', 'w')\nos.chmod('d', 0)\nos._exit(3)", "the first process left with"),
    ],
)
def test_ordinary_user_s_bomb_is_ended_and_closed_folders_are_removed(
    words: list[str], source: str, sentence: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = set(os.listdir(os.environ["TMPDIR"]))
    seen = show(words, source, timeout=50)  # a slow machine takes a while to 64
    assert seen["verdict"].startswith((sentence, "fork was refused")), seen
    assert set(os.listdir(os.environ["TMPDIR"])) == before


DOCTOR = """
import json
from udock_lab.isolation.probe import probe
print(json.dumps({f.name: [f.works, f.detail, f.remedy] for f in probe().features}))
"""


@pytest.mark.parametrize(("words", "guard", "identity"), RUNGS)
def test_doctor_names_the_guard_and_the_identity_that_the_sandbox_then_uses(
    words: list[str], guard: str, identity: str
) -> None:
    done = rungs.run(words, DOCTOR)
    features = json.loads(done.stdout)
    works, detail, remedy = features["sandbox guard"]
    used = show(words, CHROOT)
    first_words = {"landlock": "Landlock's signal scope: ", "seccomp": "a seccomp filter: ", "none": "ENOTSUP: "}
    assert detail.startswith(first_words[used["guard"]])
    assert works == (used["guard"] != "none") == (remedy == "")
    works, _, remedy = features["sandbox identity"]
    assert works == (used["identity"] == "user namespace") == (remedy == "")
