"""Figures of matplotlib take the colours of the page, so that they can be read in a dark theme too."""

from __future__ import annotations

import re

import pytest
from matplotlib.figure import Figure

from udock_lab.display.html.figure import figure_html


def drawn() -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.barh([1], [2], color="white", edgecolor="black")
    axes.plot([1, 2, 3], [3, 1, 2], color="tab:blue")
    axes.set_title("200 kills & reads")
    return figure


@pytest.fixture
def svg() -> str:
    shown = figure_html(drawn())
    assert shown is not None
    return shown[shown.index("<svg") :]


def test_black_ink_and_white_paper_become_the_pages_and_other_colours_stay(svg: str) -> None:
    assert re.search("#(000000|ffffff)", svg) is None
    assert "currentColor" in svg
    assert "var(--u-bg)" in svg
    assert "#1f77b4" in svg


def test_letters_stay_letters_and_the_title_is_its_label(svg: str) -> None:
    assert ">200 kills &amp; reads</text>" in svg
    assert 'aria-label="200 kills &amp; reads"' in svg


def test_nothing_in_it_styles_the_rest_of_the_page(svg: str) -> None:
    assert "<style" not in svg
    assert "<?xml" not in svg


def test_the_same_figure_is_the_same_text() -> None:
    assert figure_html(drawn()) == figure_html(drawn())


def test_a_figure_of_very_many_points_stays_a_picture_of_dots() -> None:
    figure = Figure()
    figure.subplots().scatter(range(8_000), range(8_000))
    assert figure_html(figure) is None
