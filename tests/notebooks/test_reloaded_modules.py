"""Modules of ours that a running kernel has loaded a second time: a restart is the remedy, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ipykernel")

from users_kernel import UsersKernel


def test_kernel_that_has_reloaded_a_module_is_told_to_restart(tmp_path: Path) -> None:
    kernel = UsersKernel(tmp_path / "home")
    try:
        kernel.run("%mdock inspect nosuch")  # what it needs is loaded by then
        kernel.run("import importlib, udock_lab.errors, udock_lab.runtime.state.images\nfor module in (udock_lab.errors, udock_lab.runtime.state.images): importlib.reload(module)")
        cell = kernel.run("%mdock inspect nosuch")
        assert cell.status == "error" and "loaded a second time" in cell.error and "Restart the kernel." in cell.error
        assert "a fault of mdock" not in cell.error
        kernel.restart()
        assert kernel.run("%mdock inspect nosuch").ename == "NotFound"
    finally:
        kernel.close()
