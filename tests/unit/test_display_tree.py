"""The process tree: names before numbers, zombies marked by a word and a shape."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from test_display_html import Page, hostile
from test_display_text import EXITED

from udock_lab import display
from udock_lab.display import pictures
from udock_lab.linux.process import process_tree
from udock_lab.model import ExitStatus, ProcessNode
from udock_lab.model.value import replace


def node(pid: int, role: str = "", *children: ProcessNode, state: str = "S", command: str = "") -> ProcessNode:
    return ProcessNode(
        pid=pid,
        name="python",
        state=state,
        start_ticks=pid,
        command=tuple(command.split()),
        children=children,
        role=role,
    )


TREE = node(
    10,
    "kernel",
    node(
        11,
        "launcher",
        node(
            12,
            "forker",
            node(14, "container c1", node(15, command="/bin/sleep 20"), node(16, state="Z"), command="/bin/sh -c x"),
            node(13, "spare"),
        ),
    ),
)


def test_the_text_is_a_tree_of_names_without_pids() -> None:
    assert display.tree_text(TREE).splitlines() == [
        "kernel  this notebook's Python",
        "└─ launcher  supervises the containers and keeps their records",
        "   └─ forker  forks them and waits for their end",
        "      ├─ container c1  /bin/sh -c x",
        "      │  ├─ process  /bin/sleep 20",
        "      │  └─ process  python  [has ended, nobody has waited for it yet: a zombie]",
        "      └─ spare  forked ahead, waits at the gate for the next run",
    ]


def test_the_page_says_what_the_text_says_and_the_pids() -> None:
    html = display.tree_html(TREE)
    page = Page(html).text
    for line in display.tree_text(TREE).splitlines():
        for words in line.strip("└├─│ ").split("  "):
            assert words.strip("[]") in page
    assert "pid 15" in page
    assert html.count('class="process zombie"') == 1
    assert html.count("<li") == html.count("pid ") == 7


def test_several_trees_stand_below_each_other_and_none_is_a_sentence() -> None:
    assert display.tree_text((TREE, node(99, "container c2", command="x"))).splitlines()[-1] == "container c2  x"
    assert display.tree_text(()) == "no processes to be seen"
    assert "no processes to be seen" in Page(display.tree_html(())).text


def test_a_real_zombie_is_shown_as_one() -> None:
    def zombies() -> int:  # a browser of other tests may have some of its own
        return display.tree_text(process_tree(os.getpid()) or ()).count("a zombie")

    before = zombies()
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    try:
        assert zombies() == before + 1
    finally:
        os.waitpid(pid, 0)
    assert zombies() == before


@settings(max_examples=60)
@given(hostile, hostile, st.text(max_size=2))
def test_hostile_names_stay_text(role: str, name: str, state: str) -> None:
    odd = replace(node(1, role, state=state), name=name, command=(name, role), children=(node(2, name),))
    Page(display.tree_html(odd))
    assert all(line.isprintable() for line in display.tree_text(odd).split("\n"))


def test_every_picture_has_both_forms() -> None:
    for picture in (
        pictures.process_tree(TREE),
        pictures.timeline(EXITED),
        pictures.wait_status(10752),
        pictures.wait_status(ExitStatus(raw=9)),
        pictures.before_and_after(EXITED),
        pictures.record(EXITED),
    ):
        assert repr(picture) == picture.text
        assert Page(picture._repr_html_()).text
    assert "exit code 42" in repr(pictures.wait_status(10752))
    assert "4711" not in repr(pictures.record(EXITED))
