"""Lines are marked with their author while they stream, and never torn."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from udock_lab.display.tagged import TaggedLines
from udock_lab.model import OutputChunk


def chunk(text: str, pid: int = 100, stream: str = "stdout") -> OutputChunk:
    return OutputChunk(pid=pid, role="parent" if pid == 100 else f"child {pid - 100}", stream=stream, text=text)


def shown(*chunks: OutputChunk, colour: bool = False, finish: bool = True) -> list[tuple[str, str]]:
    seen: list[tuple[str, str]] = []
    tagged = TaggedLines(lambda stream, text: seen.append((stream, text)), colour=colour)
    for one in chunks:
        tagged.take(one)
    if finish:
        tagged.finish()
    return seen


def test_line_carries_role_and_pid() -> None:
    assert shown(chunk("hello\n")) == [("stdout", "parent       100 │ hello\n")]


def test_begun_line_waits_for_its_end_and_no_other_process_writes_into_it() -> None:
    lines = "".join(text for _, text in shown(chunk("on"), chunk("two\n", 101), chunk("e\n")))
    assert lines == "child 1      101 │ two\nparent       100 │ one\n"


def test_line_that_never_ends_is_shown_at_the_end() -> None:
    assert shown(chunk("rest"), finish=False) == []
    assert shown(chunk("rest")) == [("stdout", "parent       100 │ rest\n")]


def test_streams_of_one_process_are_not_mixed() -> None:
    seen = shown(chunk("out"), chunk("err\n", stream="stderr"), chunk("put\n"))
    assert seen == [("stderr", "parent       100 │ err\n"), ("stdout", "parent       100 │ output\n")]


def test_empty_lines_are_lines() -> None:
    assert shown(chunk("\n\n"))[0][1].count("│") == 2


def test_each_process_keeps_its_colour_and_all_colours_end() -> None:
    text = "".join(text for _, text in shown(*(chunk("x\n", 100 + n % 7) for n in range(14)), colour=True))
    colours: dict[str, set[str]] = {}
    for hue, pid in re.findall(r"\x1b\[48;5;(\d+)m \x1b\[0m [^\x1b]*?(\d+) │", text):
        colours.setdefault(pid, set()).add(hue)
    assert len(colours) == 7
    assert all(len(hues) == 1 for hues in colours.values())
    assert text.count("\x1b[0m") == 14


_CHUNKS = st.lists(st.tuples(st.integers(100, 103), st.sampled_from(["stdout", "stderr"]), st.text(alphabet="ab\n")))


@given(_CHUNKS)
def test_nothing_is_lost_or_moved_within_what_one_process_wrote(pieces: list[tuple[int, str, str]]) -> None:
    seen = shown(*(chunk(text, pid, stream) for pid, stream, text in pieces))
    for pid in range(100, 104):
        for stream in ("stdout", "stderr"):
            written = "".join(text for one, kind, text in pieces if (one, kind) == (pid, stream))
            lines = [line for kind, text in seen if kind == stream for line in text.splitlines() if f" {pid} │" in line]
            assert "".join(line.partition("│ ")[2] + "\n" for line in lines).rstrip("\n") == written.rstrip("\n")
