"""Before and after: what changed is marked by a word, and the text names nothing of the machine it ran on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from test_display_html import Page, hostile
from test_display_text import EXITED

from udock_lab import display
from udock_lab.display.changes import change_rows
from udock_lab.linux.snapshot import read_snapshot
from udock_lab.model import Snapshot
from udock_lab.model.value import replace

ROOTFS = "/home/ada/.mdock/images/demo/rootfs"
GATE = Snapshot(
    moment="at the gate",
    pid=4711,
    parent=4700,
    group=4711,
    session=4711,
    root="/",
    cwd="/home/ada/lessons",
    files=((0, "/dev/null"), (1, "pipe"), (2, "pipe"), (3, "socket"), (4, "pipe")),
    limits=(("Max open files", "1024", "1048576"), ("Max address space", "unlimited", "unlimited")),
    environment=("HOME", "SECRET_OF_ADA"),
    uids=(1000,) * 4,
    gids=(1000,) * 4,
    groups=(27, 1000),
    capabilities=0,
    user_namespace="user:[4026531837]",
)
EXEC = replace(
    GATE,
    moment="before exec",
    root=ROOTFS,
    cwd=ROOTFS,
    limits=(("Max open files", "64", "64"), ("Max address space", "unlimited", "unlimited")),
    uids=(0,) * 4,
    gids=(0,) * 4,
    capabilities=(1 << 41) - 1,
    user_namespace="user:[4026532177]",
    next_environment=("HOME", "PATH", "TERM"),
)
RUN = replace(EXITED, snapshots=(GATE, EXEC))


def test_the_text_shows_what_changed_and_names_what_did_not() -> None:
    lines = display.changes_text(RUN).splitlines()
    assert [line.split("  ")[0] for line in lines[1:9]] == [
        "root directory",
        "working directory",
        "limit: open files",
        "user ids",
        "group ids",
        "capabilities",
        "user namespace",
        "the same: process id, parent, session, process group, open files, other limits, environment, other groups",
    ]
    assert "from outside" in lines[9]
    assert lines[10] == "The environment changes last, by execve itself: then it is HOME, PATH, TERM."


def test_the_text_is_the_same_for_another_user_on_another_machine() -> None:
    gate = replace(
        GATE, cwd="/home/bob", uids=(1001,) * 4, gids=(100,) * 4, user_namespace="user:[5]", pid=9, groups=()
    )
    home = "/home/bob/.mdock"
    after = replace(
        EXEC,
        pid=9,
        groups=(),
        root=f"{home}/images/demo/rootfs",
        cwd=f"{home}/images/demo/rootfs",
        user_namespace="user:[6]",
    )
    other = replace(RUN, snapshots=(gate, after), log_path=f"{home}/logs/c1.log")
    assert display.changes_text(other) == display.changes_text(RUN)


def test_the_page_marks_changes_by_a_word_and_holds_every_row_of_the_text() -> None:
    html = display.changes_html(RUN)
    page = Page(html).text
    rows = change_rows(GATE, EXEC)
    assert page.count("← changed") == sum(row.changed for row in rows) == 7
    for row in rows:
        assert row.name in page
    for line in display.changes_text(RUN).splitlines()[-3:]:
        assert line in page


def test_without_a_user_namespace_nothing_is_said_of_one() -> None:
    same = replace(RUN, snapshots=(GATE, replace(EXEC, user_namespace=GATE.user_namespace)))
    assert "from outside" not in display.changes_text(same)


def test_nothing_private_reaches_a_published_page() -> None:
    for form in (display.changes_html(RUN), display.run_html(RUN), display.run_text(RUN)):
        assert "SECRET_OF_ADA" not in form
        assert ROOTFS not in form


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (0, "none"),
        ((1 << 41) - 1, "all"),
        (1 << 18, "CAP_SYS_CHROOT"),
        (((1 << 41) - 1) & ~(1 << 24), "all but CAP_SYS_RESOURCE"),
        (0xFF, "8 of 41"),
    ],
)
def test_capabilities_are_named_where_they_are_few(mask: int, words: str) -> None:
    row = next(row for row in change_rows(GATE, replace(EXEC, capabilities=mask)) if row.name == "capabilities")
    assert row.after == words


@pytest.mark.parametrize("taken", [(), (GATE,)])
def test_without_two_moments_a_sentence_says_why(taken: tuple[Snapshot, ...]) -> None:
    text = display.changes_text(replace(RUN, snapshots=taken))
    assert text.endswith((".", "..."))
    assert text in Page(display.changes_html(replace(RUN, snapshots=taken))).text


@settings(max_examples=60)
@given(hostile, hostile)
def test_hostile_paths_and_names_stay_text(one: str, two: str) -> None:
    odd = replace(EXEC, root=one, cwd=two, files=((7, one),), limits=((one, two, one),), moment=two, user_namespace=one)
    run = replace(RUN, snapshots=(GATE, odd))
    Page(display.changes_html(run))
    assert all(line.isprintable() for line in display.changes_text(run).split("\n"))


def test_a_process_that_is_gone_tells_nothing_and_raises_nothing() -> None:
    facts = read_snapshot(2**22 + 1)
    assert (facts["parent"], facts["root"], facts["files"], facts["limits"]) == (0, "", (), ())
