"""HTML is made in one way, which escapes: nobody has to think of it, and nobody can forget it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_display_html import Page, hostile

from udock_lab.display.markup import Markup, attributes, html, joined, table, verbatim
from udock_lab.display.pages.rendering import page

PACKAGE = Path(__file__).resolve().parents[2] / "udock_lab"
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def calls_of(*names: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def test_no_template_is_put_together_from_values() -> None:
    found = calls_of("html")
    assert len(found) > 80
    strange = [f"{path}:{call.lineno}" for path, call in found if not isinstance(call.args[0], ast.Constant)]
    assert strange == []


def test_markup_is_the_only_file_that_escapes_and_three_more_trust_a_text() -> None:
    imports = [
        str(path.relative_to(PACKAGE))
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("html", "markupsafe")
    ]
    assert imports == ["display/markup.py"]
    trusting = {str(path.relative_to(PACKAGE)) for path, _ in calls_of("trusted", "Markup")}
    assert trusting == {
        "display/markup.py",
        "display/html/figure.py",
        "display/html/walk.py",
        "display/pages/rendering.py",
    }


@given(st.lists(hostile, min_size=2, max_size=2))
def test_a_text_stays_a_text_wherever_it_goes_in(words: list[str]) -> None:
    shown = html('<section class="udock"{}><p>{}</p><pre>{}</pre></section>', attributes(aria_label=words[0]), *words)
    assert [line.split()[0] for line in Page(shown).shape] == ["section", "p", "pre"]


def test_html_goes_in_as_it_is_and_text_around_it_is_escaped() -> None:
    inner = html("<b>{}</b>", "a < b")
    assert joined(["<i>", inner]) == "&lt;i&gt;<b>a &lt; b</b>"
    assert html("<p>{}</p>", inner) == "<p><b>a &lt; b</b></p>"
    assert inner + "<i>" == "<b>a &lt; b</b>&lt;i&gt;"


def test_a_text_is_printable_and_a_verbatim_one_keeps_its_lines() -> None:
    assert html("{}", "a\x1b[1m\nb") == "a\\x1b[1m\\nb"
    assert html("{}", verbatim("<\n\t")) == "&lt;\n\t"


@pytest.mark.parametrize("parts", [(), ("a",), ("a", "b", "c")])
def test_a_part_too_few_or_too_many_is_an_error(parts: tuple[str, ...]) -> None:
    with pytest.raises(TypeError):
        html("50% {} {}", *parts)


def test_an_attribute_without_a_value_is_left_out_and_one_that_is_true_stands_alone() -> None:
    assert attributes(kind="a", aria_label="", data_home=True, checked=False) == ' class="a" data-home'


def test_the_first_cell_of_a_row_is_its_header_also_where_it_is_alone() -> None:
    rows = table(("a", "b"), [("1",), ("<", html("<b>{}</b>", 2))])
    assert '<tr><th scope="row">1</th></tr>' in rows
    assert '<tr><th scope="row">&lt;</th><td><b>2</b></td></tr>' in rows


@given(hostile)
def test_a_page_escapes_and_shows_control_characters_as_every_form_does(word: str) -> None:
    shown = page("learner.html", title=word, works=[], lecturers=False)
    assert isinstance(shown, Markup)
    assert html("<h1>{}</h1>", word) in shown


def test_templates_are_read_when_a_page_is_made_and_not_before() -> None:
    code = (
        "import sys; import udock_lab.display.pages.classroom, udock_lab.display.html.forms, udock_lab.grading.checking;"
        "assert not {'jinja2', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
