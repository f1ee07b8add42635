"""A check that takes longer than a second shows what it does, and takes that away when its report is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import jupyter_client

SLOW = """
import os, time
from udock_lab.grading import ExitInfo, check

def launch(argv):
    time.sleep({seconds})
    return ExitInfo(code=0)
"""
CHECK = 'check("m2_1_process_creation", launch)'


def displayed(seconds: float, folder: Path) -> list[dict[str, Any]]:
    """Return what the cell displays beside its result, in order."""
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"HOME": str(folder)}, cwd=folder)
    client = manager.client()
    client.start_channels()
    shown: list[dict[str, Any]] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] in ("display_data", "update_display_data"):
            shown.append(message["content"])

    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive(SLOW.format(seconds=seconds), timeout=60, output_hook=hear)
        client.execute_interactive(CHECK, timeout=100, output_hook=hear)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return shown


def test_a_check_that_takes_its_time_says_what_is_being_judged_in_one_place_that_is_empty_in_the_end(
    tmp_path: Path,
) -> None:
    shown = displayed(1.5, tmp_path)
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    said = [content["data"]["text/plain"] for content in shown]
    assert said[0] == ""
    assert said[1].startswith("Judged: 0 of 7. Being judged: starts a second process, with os.fork")
    assert "starts a second process" in shown[1]["data"]["text/html"]
    assert shown[-1]["data"] == {"text/plain": ""}
