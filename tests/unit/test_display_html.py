"""The HTML forms: nothing that comes from a learner becomes markup, and nothing is said by colour alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_display_text import CHDIR_RUN, EXITED, IMAGE, KILLED_STATUS, NEVER, container, record, run_of

from udock_lab import display
from udock_lab.model import DoctorReport, ExitStatus, Failure, Feature, Image, Inspection, RunResult, StepReport
from udock_lab.model.value import replace

_ALLOWED = frozenset(
    (
        *("style", "section", "header", "div", "span", "p", "b", "i", "em", "code", "pre", "small", "strong", "mark"),
        *("details", "summary", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
        *("button", "input", "output", "br", "a"),
    )
)
_ATTRIBUTES = frozenset(
    (
        *("class", "role", "tabindex", "title", "open", "scope", "colspan"),
        *("aria-label", "aria-hidden", "aria-current", "aria-live"),
        *("hidden", "type", "min", "max", "value", "data-lm-suppress-shortcuts", "data-moment"),  # a walk
        *("href", "download"),
        "style",  # places in a grid, nothing else: see _PLACE
    )
)
_PLACE = re.compile(r"grid-area:[\d/-]+|grid-template-columns:[\w .,()-]+")


class Page(HTMLParser):
    """Elements, attributes and text of a piece of HTML; complains where it is not well nested."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.focusable = 0
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ALLOWED, tag
        assert {name for name, _ in attrs} <= _ATTRIBUTES, attrs
        self.shape.append(f"{tag} {sorted(name for name, _ in attrs if name != 'title')}")
        assert all(_PLACE.fullmatch(value or "") for name, value in attrs if name == "style"), attrs
        self.titles += [value or "" for name, value in attrs if name == "title"]
        self.focusable += any(name == "tabindex" for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"an unknown declaration: {data}")

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


hostile = st.one_of(
    st.text(max_size=60),
    st.text("<>\"'&/;!-[]=`\x00\x1b\n\r\u2028\u202e\udc80abc|( ", max_size=120),
    st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(
        ["</style><script>alert(1)</script>", '" onfocus="x', "<!--", "]]>", "<img src=x onerror=y>", "</pre>", "&lt;"]
    ),
)


def run_with(words: list[str]) -> RunResult:
    """A run in which every free-form field holds one of the words."""
    a, b, c, d, e, f = words
    steps = (
        StepReport(name=a, who=b, call=c, start=0, end=5, errno=1, result=d),
        StepReport(name=e, who="child", call=f + c * 3, start=9, end=9, result=a),
    )
    before = record(id=a, image=b, start_time=c)
    return RunResult(
        id=a,
        image=b,
        argv=(c, d),
        pid=7,
        exit_code=127,
        exit_status=ExitStatus(raw=32512),
        isolation=EXITED.isolation,
        steps=steps,
        before=before,
        after=replace(before, end_time=d, exit_code=1),
        log_path=f"{e}/logs/{a}.log",
        failure=Failure(step=a, errno=1, exit_code=127, message=e, hint=f),
        notes=(a, f),
    )


def forms(words: list[str]) -> dict[str, str]:
    a, b, c, d, e, f = words
    run = run_with(words)
    features = (Feature(name=a, works=False, detail=b, remedy=c), Feature(name=d, works=True, detail=e))
    return {
        "run": display.run_html(run),
        "steps": display.steps_html(run.steps),
        "record": display.record_html(run.before, run.after),
        "ps": display.ps_html([replace(container(), command=a, state=b, record=record(image=c, start_time=d))]),
        "images": display.images_html([Image(name=a, rootfs=b, created=c)]),
        "inspect": display.inspect_html(Inspection(kind="container", data={a: [b, {c: d}], "k": e})),
        "doctor": display.doctor_html(DoctorReport(rung=f, summary=a, features=features)),
        "record alone": display.to_html(record(id=a, image=b)),
        "anything": display.to_html(f),
    }


@settings(max_examples=150)
@given(st.lists(hostile, min_size=6, max_size=6))
def test_no_field_ever_becomes_markup(words: list[str]) -> None:
    for html in forms(words).values():
        page = Page(html)
        assert page.shape[:2] == ["style []", "section ['aria-label', 'class']"]
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
        html.encode()  # what goes to the browser is UTF-8


@pytest.mark.parametrize("text", ["<b>x</b>", "a & b", '"quoted"', "it's"])
def test_what_is_escaped_is_read_as_it_was(text: str) -> None:
    assert text in Page(display.run_html(replace(EXITED, notes=(text,)))).text


def test_escape_characters_are_shown_as_escapes() -> None:
    assert "\\x1b[31m" in Page(display.run_html(replace(EXITED, notes=("\x1b[31m",)))).text


@pytest.mark.parametrize("run", [EXITED, NEVER, CHDIR_RUN, run_of(KILLED_STATUS)])
def test_html_says_what_the_text_says(run: RunResult) -> None:
    page = Page(display.run_html(run)).text
    said = [display.run_text(run).splitlines()[1].strip(), *run.notes, run.id, run.image]
    said += [step.result for step in run.steps] + ([run.failure.hint] if run.failure else [])
    for words in said:
        assert " ".join(words.split()) in page


def test_a_failed_call_is_marked_by_a_word_and_a_shape() -> None:
    html = display.steps_html(CHDIR_RUN.steps)
    assert Page(html).text.count("✖ FAILED = -1 EPERM") == 1
    assert html.count('class="call failed') == 1
    assert re.search(r"\.call\.failed[^{]*\{border:2px dashed", html)


def test_every_call_can_be_reached_with_the_keyboard() -> None:
    assert Page(display.steps_html(EXITED.steps)).focusable == len(EXITED.steps)


def test_a_long_call_loses_its_middle_and_keeps_all_of_it_for_hover_and_focus() -> None:
    call = f'chroot("/{"long/" * 30}rootfs")'
    step = StepReport(name="chroot", who="child", call=call, start=0, end=1, result="= 0")
    shown, _, more = display.steps_html([step]).partition('<span class="more">')
    page = Page(display.steps_html([step])).text
    assert 'chroot("/long/' in page
    assert " … " in page
    assert "long/" * 30 not in shown
    assert "long/" * 30 in more


def test_a_pause_between_calls_is_named() -> None:
    quick = StepReport(name="a", who="parent", call="a()", start=0, end=10, result="= 0")
    late = replace(quick, start=54_000_010, end=54_000_020)
    assert "54.0 ms pass" in Page(display.steps_html([quick, late])).text
    assert " ms pass" not in Page(display.steps_html([quick, replace(quick, start=900_000, end=900_001)])).text


def test_a_changed_field_is_marked_by_a_word() -> None:
    page = Page(display.record_html(EXITED.before, EXITED.after)).text
    assert page.count("← changed") == 3
    assert "c1|4711|demo|running|2026-01-02T03:04:05||" in page
    assert "c1|4711|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|42" in page


@given(st.integers(0, 0xFFFF))
def test_the_picture_of_a_wait_status_says_what_its_text_says(raw: int) -> None:
    page = Page(display.status_html(ExitStatus(raw=raw))).text
    for line in display.status_text(ExitStatus(raw=raw)).splitlines()[1:]:
        for words in re.split(r"\s{2,}", line.strip()):
            if words not in ("BITS", "MEANING", "FORMULA") and not re.fullmatch("[01]{7,8}", words):
                assert words in page


@given(st.integers(0, 0xFFFF))
def test_every_wait_status_shows_its_sixteen_bits(raw: int) -> None:
    html = display.status_html(ExitStatus(raw=raw))
    assert "".join(re.findall(r"<i>(?:<b>)?([01])(?:</b>)?</i>", html)) == f"{raw:016b}"
    Page(html)


def test_the_rung_of_this_machine_is_marked_by_words() -> None:
    page = Page(display.doctor_html(DoctorReport(rung="D", summary="chroot only", features=())))
    assert "D this machine" in page.text


def test_a_single_container_or_image_shows_as_a_row() -> None:
    assert "<table>" in display.to_html(container())
    assert "<table>" in display.to_html(IMAGE)


def test_the_style_stays_inside_its_class() -> None:
    html = display.images_html([])
    css = html[len("<style>") : html.index("</style>")].replace("@media (prefers-color-scheme:dark){", "")
    for selector in re.findall(r"([^{}]+)\{", css):
        for part in selector.split(","):
            assert part.strip().startswith(".udock"), part


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
        parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_published_pages_are_readable_in_light_and_dark(theme: int) -> None:
    """WCAG AA: 4.5 for text, 3 for the lines that carry meaning."""
    css = (Path(display.__file__).parent / "style.css").read_text(encoding="utf-8")
    found = re.findall(r"--u-(\w+?)(?:-as-is)?: var\(--[\w-]+, (#\w+)\)", css)
    colours = dict(found[: len(found) // 2] if theme == 0 else found[len(found) // 2 :])
    for ground in ("bg", "soft"):
        assert _contrast(colours["fg"], colours[ground]) >= 4.5
        assert _contrast(colours["dim"], colours[ground]) >= 4.5
        for line in ("blue", "red", "green", "amber"):
            assert _contrast(colours[line], colours[ground]) >= 3


@pytest.mark.parametrize("run", [EXITED, NEVER, CHDIR_RUN])
def test_one_result_is_small_enough_to_send_at_once(run: RunResult) -> None:
    assert len(display.run_html(run).encode()) < 20_000
