"""The lesson in a real JupyterLab in a real Chromium: opened, run top to bottom, looked at in both themes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = Path(__file__).parent / "artefacts"
LESSON = "m2_1b_exec_and_wait.ipynb"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: scripts/install-system-packages"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab with settings of its own on a copy of the lessons: an address that only this test can use."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    settings = folder / "config" / "labconfig"
    settings.mkdir(parents=True)
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "page_config.json").write_text(json.dumps(off))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)  # a server that runs code is not left open to whoever else is on this machine
    env = os.environ | {
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MDOCK_HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    options = [
        "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        "--LabApp.expose_app_in_browser=True", f"--notebook-dir={folder / 'notebooks'}",
    ]  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}")
        yield f"http://127.0.0.1:{port}/lab/tree/{LESSON}?token={token}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


OUTPUTS = """() => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells
    .filter(cell => cell.cell_type === 'code').map(cell => cell.outputs)"""
READY = "() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.isReady"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lesson_runs_in_jupyterlab_without_an_error_and_shows_its_picture(lab: str, browser: Any, theme: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{lab}&reset")
    page.wait_for_function(READY, timeout=60_000)
    _command(page, "apputils:change-theme", {"theme": f"JupyterLab {theme.title()}"})
    _command(page, "notebook:clear-all-cell-outputs")
    _command(page, "notebook:run-all-cells")
    page.wait_for_function(f"() => JSON.stringify(({OUTPUTS})().at(-1)).includes('folder left behind')", timeout=60_000)
    shown = page.evaluate(OUTPUTS)
    page.wait_for_function(f"() => document.body.dataset.jpThemeName === 'JupyterLab {theme.title()}'")
    pictures = _photograph(page, theme)
    page.close()
    assert [output for cell in shown for output in cell if output["output_type"] == "error"] == []
    assert "because the kernel said 10752" in json.dumps(shown)
    assert complaints == []
    assert min(picture.stat().st_size for picture in pictures) > 10_000


def _command(page: Any, name: str, arguments: dict[str, str] | None = None) -> None:
    """A command of JupyterLab. Not awaited: running all cells answers when the last of them has ended."""
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}', {json.dumps(arguments or {})}); }}")


def _photograph(page: Any, theme: str) -> list[Path]:
    """Pictures of the beginning, the decoded status and the run, with their cells at the top; for people to see."""
    ARTEFACTS.mkdir(exist_ok=True)
    if page.locator("#jp-left-stack").is_visible():
        _command(page, "application:toggle-left-area")
    pictures = []
    for name, words in (("top", "Exec and wait"), ("status", "ExitStatus(raw=10752)"), ("run", "result = runtime.run")):
        cell = page.locator(".jp-Cell", has_text=words).first
        cell.evaluate("cell => cell.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(600)
        pictures.append(ARTEFACTS / f"{theme}-{name}.png")
        page.screenshot(path=str(pictures[-1]))
    return pictures
