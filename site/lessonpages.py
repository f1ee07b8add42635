"""A Sphinx extension: how a file of the repository is changed on its way to a page.

- Links to files that are no page lead to the repository, where its name is known; else their words stay.
- A notebook's hidden code is folded, the links in its outputs lead to pages, and a lesson says how to run it.
"""

from __future__ import annotations

import json
import posixpath
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

_CODE_OR_LINK = re.compile(
    r"^(?P<fence>```|~~~).*?^(?P=fence)|(?<!!)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<to>[^)\s]+)\)|`+[^`\n]+`+",
    re.DOTALL | re.MULTILINE,
)
_HREF = re.compile(r'(href=")([^":#]+)\.ipynb(["#])')
_BINDER = "https://mybinder.org/v2/gh/{}/HEAD?urlpath={}"
_CODESPACE = "https://codespaces.new/{}"
_BLOB = "https://github.com/{}/blob/HEAD/{}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Name the settings, and ask for each source as it is read."""
    for name in ("udock_repository", "udock_learners"):  # OWNER/NAME on GitHub: with the sources; what learners run
        app.add_config_value(name, "", "env", (str,))
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}


def _read(app: Sphinx, document: str, source: list[str]) -> None:
    path = str(app.env.doc2path(document, base=False))
    if path.endswith(".ipynb"):
        source[0] = json.dumps(_notebook(app, path, json.loads(source[0])))
    else:
        source[0] = _links(app, path, source[0])


# --- a notebook


def _notebook(app: Sphinx, path: str, notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _links(app, path, "".join(cell["source"]))
        elif cell["cell_type"] == "code":
            if cell["metadata"].get("jupyter", {}).get("source_hidden"):
                cell["metadata"].setdefault("tags", []).append("hide-input")
            for output in cell["outputs"]:
                shown = output.get("data", {})
                if "text/html" in shown:
                    shown["text/html"] = _HREF.sub(r"\1\2.html\3", "".join(shown["text/html"]))
    folder, file = posixpath.split(path)
    beside = f"lessons/{file}" if folder == "notebooks" else f"lessons/exercises/{file.removesuffix('.ipynb')}/{file}"
    title, line, rest = notebook["cells"][0]["source"].partition("\n")
    notebook["cells"][0]["source"] = f"{title}\n\n{_how_to_run(app, path, beside)}{line}{rest}"
    return notebook


def _how_to_run(app: Sphinx, path: str, place: str) -> str:
    """Return a line of HTML: where this notebook runs; ``place`` is its file where a course was laid out."""
    name = app.config.udock_learners or app.config.udock_repository
    links = []
    if name:
        links.append(("Binder", _BINDER.format(name, quote(f"lab/tree/{place}", safe="/"))))
        links.append(("Codespace", _CODESPACE.format(name)))
    root = "../" * path.count("/")
    links.append(("the notebook, to download", f"{root}{place}"))
    said = " · ".join(f'<a href="{escape(address)}">{words}</a>' for words, address in links)
    stored = "The outputs below are of one run, kept. " if place.count("/") == 1 else ""
    return (
        f'<p class="run-it">{stored}Run it yourself: {said}, '
        "or <code>udock-lab start</code> on your own machine.</p>\n\n"
    )


# --- links


def _links(app: Sphinx, path: str, text: str) -> str:
    """Return a Markdown text with the links of one file of the repository changed; code is left alone."""
    return _CODE_OR_LINK.sub(lambda found: _link(app, path, found), text)


def _link(app: Sphinx, path: str, found: re.Match[str]) -> str:
    words, address = found["words"], found["to"]
    if not address or ":" in address or address.startswith("#"):
        return found[0]
    file = posixpath.normpath(posixpath.join(posixpath.dirname(path), address.partition("#")[0]))
    if (Path(app.srcdir) / file).exists():
        return found[0]
    name = app.config.udock_repository
    return f"[{words}]({_BLOB.format(name, file)})" if name else words
