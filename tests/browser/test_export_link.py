"""The link that ``lesson.export()`` shows, in a real JupyterLab and a real Notebook 7: a click saves the file.

And the strip and the map, which follow what is answered in the cells below them.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import _wait_for
from notebook_page import ARTEFACTS, Lab, ask_until, notebook, run_all_by_menu, run_notebook
from ports import a_free_port

from udock_lab.work.exported import read_export

BEGIN = "from udock_lab.lesson import begin, predict, progress, put_in_order\nlesson = begin('{}')"
ASK = "{0} = predict('{0}', 'How many lines appear?', {{'one': 'no', 'two': 'both return'}})"


@pytest.mark.parametrize("theme", ["light"])
def test_a_click_on_the_link_saves_the_export(lab: Lab, lab_page: Any, tmp_path: Path, theme: str) -> None:
    shown = run_notebook(
        lab_page, lab.put(f"export-{theme}.ipynb", BEGIN.format("m2_1a_fork"), "lesson.export()"), theme
    )
    try:
        shown.assert_clean()
        cell = lab_page.locator(".jp-Cell").nth(1)
        with lab_page.expect_download(timeout=30_000) as download:
            cell.get_by_role("link", name="Download").click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
        assert download.value.suggested_filename.endswith(".udock")
        assert "lessons" in read_export(tmp_path / download.value.suggested_filename).progress
        assert shown.photograph(f"export-{theme}", cell).stat().st_size > 5_000
    finally:
        shown.close()
        for file in lab.folder.glob("*.udock"):
            file.unlink()


@pytest.mark.parametrize("theme", ["dark"])
def test_the_strip_follows_what_is_answered_below_it(lab: Lab, lab_page: Any, theme: str) -> None:
    name = f"strip_{theme}"
    cells = (BEGIN.format("m2_1a_fork"), ASK.format(name), f"{name}.answer('one')\n{name}.settle('two')", "progress()")
    shown = run_notebook(lab_page, lab.put(f"{name}.ipynb", *cells), theme)
    try:
        shown.assert_clean()
        strip = lab_page.locator(".jp-Cell").nth(0)
        strip.get_by_text("answered, 0 right").first.wait_for(timeout=15_000)
        assert (
            strip.locator("ol.strip > li").count() == lab_page.locator(".jp-Cell").nth(3).locator("ol.map > li").count()
        )
        assert strip.locator("[aria-current=step]").inner_text().split()[1] == "m2_1a"
        assert shown.photograph(name, strip).stat().st_size > 5_000
        assert shown.photograph(f"map-{theme}", lab_page.locator(".jp-Cell").nth(3)).stat().st_size > 5_000
    finally:
        shown.close()


@pytest.mark.skipif(find_spec("notebook") is None, reason="needs notebook: pip install notebook")
def test_the_link_works_in_notebook_7_too(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook(BEGIN.format("m2_1a_fork"), "lesson.export()")))
    port = a_free_port()
    token = secrets.token_hex(16)
    env = os.environ | {"JUPYTER_TOKEN": token, "HOME": str(tmp_path)}
    options = ["--no-browser", "--allow-root", f"--port={port}", f"--ServerApp.root_dir={tmp_path}"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "notebook", *options], env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}")
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/notebooks/a.ipynb?token={token}")
        page.locator(".jp-CodeCell").nth(1).wait_for(timeout=60_000)
        link = page.get_by_role("link", name="Download")
        ask_until(lambda: run_all_by_menu(page), link, times=6, timeout=15_000)
        with page.expect_download(timeout=30_000) as download:
            link.click()
        download.value.save_as(tmp_path / "saved.udock")
        assert "lessons" in read_export(tmp_path / "saved.udock").progress
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTEFACTS / "export-notebook7.png"))
        page.close()
    finally:
        server.terminate()
        server.wait(30)
