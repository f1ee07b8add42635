"""axe-core on parts of a page: what keeps somebody from reading or using them (WCAG 2.2, A and AA)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["faults_in"]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# JupyterLab's body has no height and hides what overflows; axe-core takes all in it for unseen, and passes over it.
SEEN = "html, body { height: 100vh }"
RUN = """async ([parts, tags]) => {
    const options = {runOnly: {type: 'tag', values: tags}, rules: {'target-size': {enabled: true}}, resultTypes: ['violations'], preload: false};
    const found = await axe.run({include: parts}, options);
    return found.violations.flatMap(rule => rule.nodes.map(node => [rule.id, node.html.slice(0, 160),
        (node.any.concat(node.all, node.none)[0]?.message ?? rule.help).replaceAll('\\n', ' ')].join(' | '))); }"""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def faults_in(page: Any, *parts: str) -> list[str]:
    """One line for each fault that axe-core sees in what these selectors name: rule, element, what is wrong."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_axe())
    page.add_style_tag(content=SEEN)
    named = [part for part in parts if page.locator(part).count()]
    assert named, f"nothing on the page is any of {parts}"
    return page.evaluate(RUN, [named, TAGS])  # type: ignore[no-any-return]
