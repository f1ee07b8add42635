"""JupyterLab for the course: quiet, without the news that Jupyter asks about, and its address on the last line.

The process becomes JupyterLab (execv), so that Ctrl-C and exit codes are its own. The address is known when the server
answers; a helper, forked before, waits for that and prints it.

The settings are this lab's: ``labconfig/default_setting_overrides.json`` in this package is one more folder of
configuration (``JUPYTER_CONFIG_PATH``), read before the learner's own, which is neither read nor written here and wins.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from udock_lab.errors import MdockError

__all__ = ["open_lab"]

_SETTINGS = Path(__file__).with_name("settings")
_PATIENCE = 300.0  # seconds for a server to answer


def open_lab(target: Path, options: Sequence[str], say: Callable[[str], None]) -> int:
    """Become JupyterLab on the first lesson in ``target``; does not return."""
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise MdockError("JupyterLab is not installed here.", "Install it: pip install udock-lab")
    first = min(path.name for path in target.glob("*.ipynb"))
    page = f"lab/tree/{first}"
    words = [f"--ServerApp.root_dir={target}", f"--LabApp.default_url=/{page}", "--Application.log_level=ERROR"]
    if os.geteuid() == 0:
        words.append("--allow-root")
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not screen:
        words.append("--no-browser")
    here = os.path.dirname(sys.executable)  # so that `!mdock` in a cell is this installation's
    os.environ["PATH"] = f"{here}:{os.environ.get('PATH', os.defpath)}"
    more = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = f"{more}:{_SETTINGS}" if more else str(_SETTINGS)
    os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))  # one that Jupyter makes it prints among other lines
    say("JupyterLab: starting. To stop it, press Ctrl-C here, twice.")
    before = "It opens in your browser. Should it not, open this address:" if screen else "Open this in a browser:"
    _tell_address(page, before, say)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *words, *options])


def _tell_address(page: str, before: str, say: Callable[[str], None]) -> None:
    """Fork a helper that prints the address of this process's server; forked twice, so that nobody has to reap it."""
    server = os.getpid()
    sys.stdout.flush()
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    try:
        if os.fork() == 0:
            address = _address(server, page)
            if address:
                say(before)
                say(address)
    except BaseException:  # an interrupt ends the server, too, and that one answers it
        os._exit(1)
    finally:
        os._exit(0)


def _address(server: int, page: str) -> str:
    """Wait until the server answers; return its address, token and all, empty where it ended before."""
    import subprocess

    asked = subprocess.run([sys.executable, "-m", "jupyter_core", "--runtime-dir"], capture_output=True, check=False)
    file = Path(os.fsdecode(asked.stdout.strip()), f"jpserver-{server}.json")
    process = os.pidfd_open(server)  # by its number alone, one that has ended and was not waited for seems to run
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not select.select([process], [], [], 0.1)[0]:
        with suppress(OSError, ValueError, KeyError):
            found = json.loads(file.read_bytes())
            if _answers(str(found["url"])):
                token = found.get("token")
                return f"{found['url']}{page}" + (f"?token={token}" if token else "")
    return ""


def _answers(url: str) -> bool:
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    try:
        build_opener(ProxyHandler({})).open(f"{url}api", timeout=5).close()
    except HTTPError:
        return True  # it says no, but it speaks
    return True
