"""The program ``mdock``, with the image demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from as_users import Mdock


@pytest.fixture
def mdock(tmp_path: Path, demo_rootfs: Path) -> Iterator[Mdock]:
    program = Mdock(tmp_path)
    assert program("build", "demo", str(demo_rootfs)).returncode == 0
    yield program
    program.close()
