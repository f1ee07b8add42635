"""Play scenes in real kernels, started, killed and restarted as JupyterLab does: ``kernels.py`` with JSON on stdin.

A scene is a list of steps, each ``[kernel, what]``: a kernel by any name, started when it is first named, and what
happens to it: ``"kill"`` (SIGKILL from outside; its next step starts another), ``"restart"`` (as from the menu), or
else a cell to be run. On stdout: for each cell the text that a reader sees below it, errors too.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from jupyter_client.manager import KernelManager

PATIENCE = 120  # seconds for a kernel to answer, on a machine that does other things too


class Kernel:
    """One kernel, with nothing set but what its user has."""

    def __init__(self) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel()
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, cell: str) -> str:
        said: list[str] = []

        def hear(message: Any) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] in ("display_data", "execute_result"):
                said.append(content["data"].get("text/plain", "") + "\n")
            elif message["msg_type"] == "error":
                said.append("\n".join(content["traceback"]) + "\n")

        self.client.execute_interactive(cell, output_hook=hear, timeout=PATIENCE, allow_stdin=False)
        return "".join(said)

    def kill(self) -> None:
        self.manager.signal_kernel(signal.SIGKILL)
        self.manager.provisioner.process.wait(PATIENCE)  # type: ignore[union-attr]
        self.close()

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel()
        self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()
        self.manager.cleanup_resources()


def main() -> None:
    kernels: dict[str, Kernel] = {}
    said = []
    try:
        for name, what in json.load(sys.stdin):
            if name not in kernels:
                kernels[name] = Kernel()
            if what == "kill":
                kernels.pop(name).kill()
            elif what == "restart":
                kernels[name].restart()
            else:
                said.append(kernels[name].run(what))
    finally:
        for kernel in kernels.values():
            kernel.close()
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
