"""A JupyterLab that ``udock-lab start`` became, on a port and with a token of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ports import a_free_port

__all__ = ["first_page", "serving", "settings_of_nobody"]


def settings_of_nobody(folder: Path) -> dict[str, str]:
    """An environment without a screen whose Jupyter settings are empty."""
    screen = ("DISPLAY", "WAYLAND_DISPLAY")
    clean = {name: value for name, value in os.environ.items() if name not in screen}
    (folder / "user").mkdir(exist_ok=True)
    return clean | {"HOME": str(folder / "user")}


@contextmanager
def serving(command: list[str], port_option: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Run it until the block ends; yields the address, token and all, once it answers."""
    port = a_free_port()
    token = secrets.token_hex(16)  # a server that runs code is not left open to whoever else is on this machine
    words = [*command, f"{port_option}={port}", "--ServerApp.port_retries=0"]
    server = subprocess.Popen(
        words, env={**environment, "JUPYTER_TOKEN": token}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        address = f"http://127.0.0.1:{port}/?token={token}"
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).read()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise AssertionError(server.communicate()[0]) from None
            time.sleep(0.2)
        else:
            return


def first_page(address: str) -> str:
    """Where the server sends a browser that asks for nothing in particular, without the query."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.url).partition("?")[0]
