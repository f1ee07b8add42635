"""A notebook in a real JupyterLab: open it, run it, see what went wrong, take its picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "ARTEFACTS",
    "LATE",
    "RANGE",
    "READY",
    "RUN_ALL",
    "Lab",
    "NotebookPage",
    "ask_until",
    "notebook",
    "run_all_by_menu",
    "run_notebook",
]

ARTEFACTS = Path(__file__).parent / "artefacts"
RANGE = 90_000  # ms for a whole notebook
LATE = "[anywidget] Failed to initialize model"  # on a busy machine; the panel works, as test_slow_page shows
TALLEST = 16_000  # pixels that Chromium draws in one picture

CELLS = """() => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells
    .filter(cell => cell.cell_type === 'code')"""
READY = """path => { const shown = window.jupyterapp?.shell.currentWidget;
    return shown?.context?.path === path && shown.context.sessionContext?.isReady && shown.content?.widgets?.length; }"""
STATE = """async () => { const shown = window.jupyterapp?.shell.currentWidget; const session = shown?.context?.sessionContext;
    const drawn = await Promise.race([new Promise(done => requestAnimationFrame(() => done(true))),
        new Promise(done => setTimeout(() => done(false), 2000))]);
    return {path: shown?.context?.path, isReady: session?.isReady, kernel: session?.session?.kernel?.status, drawn,
        visible: document.visibilityState, cells: shown?.content?.widgets?.length,
        dialogs: [...document.querySelectorAll('.jp-Dialog')].map(one => one.innerText),
        open: [...window.jupyterapp.shell.widgets('main')].map(one => one.context?.path ?? one.title.label)}; }"""
HEIGHT = """() => { const cells = window.jupyterapp.shell.currentWidget.content.node.querySelectorAll('.jp-Cell');
    return Math.ceil([...cells].reduce((sum, cell) => sum + cell.getBoundingClientRect().height + 10, 0)); }"""
TO_TOP = """() => { const shown = window.jupyterapp.shell.currentWidget.content;
    shown.activeCellIndex = 0; shown.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }"""
RUN_ALL = """async () => { window.udockRan = false;
    await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
    window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.udockRan = true; }); }"""
CLOSE = """async () => { const app = window.jupyterapp; const shown = app.shell.currentWidget;
    if (!shown?.context?.sessionContext) return;
    const kernel = shown.context.sessionContext.session?.kernel;  // one that dies while it is asked complains in the log
    if ((await kernel?.info)?.debugger)  // what the page asked it over the control channel comes before this answer
        await kernel.requestDebug({seq: 0, type: 'request', command: 'debugInfo'}).done;
    await shown.context.sessionContext.shutdown(); shown.dispose(); }"""


@dataclass
class Lab:
    """A running server on ``folder``; nobody else has its token."""

    folder: Path
    address: str
    token: str

    def put(self, name: str, *sources: str) -> str:
        """Write a notebook of code cells; its path for :func:`run_notebook`."""
        (self.folder / name).write_text(json.dumps(notebook(*sources)))
        return name


def notebook(*sources: str) -> dict[str, Any]:
    """A notebook with these code cells and no outputs."""
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [code | {"id": f"cell-{number}", "source": source} for number, source in enumerate(sources)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


@dataclass
class NotebookPage:
    """One notebook that has been run. ``complaints`` are the browser's: console errors and uncaught exceptions."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The code cells as they are now, with their outputs."""
        return self.page.evaluate(CELLS)  # type: ignore[no-any-return]

    @property
    def errors(self) -> list[str]:
        """Every error output and every traceback in what the cells show."""
        outputs = [output for cell in self.cells for output in cell["outputs"]]
        raised = [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]
        return raised + [json.dumps(o)[:500] for o in outputs if "Traceback (most recent call last)" in json.dumps(o)]

    @property
    def not_run(self) -> list[str]:
        """Cells that were never executed: an error or a dead kernel stopped the run before them."""
        return [
            "".join(c["source"])[:80] for c in self.cells if "".join(c["source"]).strip() and not c["execution_count"]
        ]

    def assert_clean(self) -> None:
        """Every cell ran, none raised, and the browser had nothing to complain of."""
        assert self.errors == []
        assert self.not_run == []
        assert self.complaints == []

    def photograph(self, name: str, target: Any = None) -> Path:
        """A picture in ``artefacts``: of one element, or of the window as it is."""
        ARTEFACTS.mkdir(exist_ok=True)
        picture = ARTEFACTS / f"{name}.png"
        if target is not None:
            target.evaluate("node => node.scrollIntoView({block: 'start'})")
            self.page.wait_for_timeout(250)  # the notebook's own scrolling settles
        (target or self.page).screenshot(path=str(picture))
        return picture

    def photograph_whole(self, name: str) -> Path:
        """A picture of the whole notebook, from its title to its last output."""
        before = self.page.viewport_size
        for _ in range(2):  # cells that were out of sight are drawn now, and only then have their height
            tall = self.page.evaluate(HEIGHT)
            self.page.set_viewport_size({"width": before["width"], "height": min(tall + 200, TALLEST)})
            self.page.evaluate(TO_TOP)
            self.page.wait_for_timeout(500)
        try:
            return self.photograph(name)
        finally:
            self.page.set_viewport_size(before)

    def close(self) -> None:
        """Shut its kernel down and close it, unsaved."""
        self.page.evaluate(CLOSE)


def run_all_by_menu(page: Any) -> None:
    """Run, Run All Cells: the same words in JupyterLab and in Notebook 7."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def ask_until(ask: Callable[[], None], wanted: Any, *, times: int, timeout: float) -> None:
    """Ask by menu or key until ``wanted`` is seen: what is asked of a kernel that is not there yet is not done."""
    from playwright.sync_api import TimeoutError as NotInTimeError

    for _ in range(times):
        ask()
        with suppress(NotInTimeError):
            wanted.wait_for(timeout=timeout)
            break


def run_notebook(page: Any, path: str, theme: str = "light", *, timeout: float = RANGE) -> NotebookPage:
    """Open a notebook of the server's folder in this page, in this theme, and run all of its cells to the end.

    ``page`` is the session's ``lab_page``; ``timeout`` in milliseconds. Say ``close()`` when done.
    """
    opened = NotebookPage(page, complaints=page.complaints)
    page.complaints.clear()
    name = f"JupyterLab {theme.title()}"
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }", path)
    try:
        page.wait_for_function(READY, arg=path, timeout=60_000, polling=100)
    except Exception as error:
        opened.photograph(f"not-ready-{Path(path).stem}")
        raise AssertionError(f"{path} did not open: {page.evaluate(STATE)}, {page.complaints}") from error
    page.evaluate(RUN_ALL)
    page.wait_for_function("() => window.udockRan", timeout=timeout, polling=100)
    return opened
