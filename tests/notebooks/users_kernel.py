"""A notebook kernel as users have it: a HOME of its own, nothing of mdock's in the environment."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

__all__ = ["Cell", "UsersKernel"]

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Cell:
    """What one cell showed, and how it ended."""

    def __init__(self) -> None:
        self.stdout = self.stderr = self.plain = self.html = self.error = ""
        self.status = self.ename = ""

    def take(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            setattr(self, content["name"], getattr(self, content["name"]) + content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            self.plain += content["data"].get("text/plain", "")
            self.html += content["data"].get("text/html", "")
        elif message["msg_type"] == "error":
            self.ename = content["ename"]
            self.error = _COLOURS.sub("", "\n".join(content["traceback"]))


class UsersKernel:
    """A kernel with the extension loaded, in ``home`` (the user's, so mdock's is ``home/.mdock``)."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.mdock_home = home / ".mdock"
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MDOCK", "IPYTHON", "JUPYTER"))}
        for left in (2, 1, 0):
            self.manager = KernelManager(kernel_name="python3")
            self.manager.start_kernel(env=env | {"HOME": str(home)}, cwd=str(home))
            try:
                self.connect()
                break
            except RuntimeError:  # it died: somebody took one of its ports after Jupyter had chosen it
                self.close()
                if not left:
                    raise

    def connect(self) -> None:
        """To a kernel that has just been started."""
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        assert self.run("%load_ext udock_lab").status == "ok"

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def run(self, code: str, timeout: float = 90) -> Cell:
        """One cell, to its end."""
        return self.end_of(self.begin(code), timeout)

    def begin(self, code: str) -> str:
        """Send a cell and do not wait for it."""
        return str(self.client.execute(code, allow_stdin=False))

    def end_of(self, request: str, timeout: float = 90) -> Cell:
        """What a cell that was begun has shown when the kernel is idle again; TimeoutError if it never is."""
        cell, deadline = Cell(), time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == request:
                cell.take(message)
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    break
        while (reply := self.client.get_shell_msg(timeout=10))["parent_header"].get("msg_id") != request:
            pass
        cell.status = reply["content"]["status"]
        return cell

    def interrupt(self) -> None:
        """As Jupyter's stop button."""
        self.manager.interrupt_kernel()

    def restart(self) -> None:
        """As Jupyter's restart button."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self.connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
