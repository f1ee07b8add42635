"""The workflow of a public repository tests the Pythons and the commands that the package names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def job() -> dict[str, Any]:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    return workflow["jobs"]["test"]  # type: ignore[no-any-return]


def test_every_python_that_the_package_promises_is_tested_on_both_machines(job: dict[str, Any]) -> None:
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert job["strategy"]["matrix"]["python"] == promised
    assert job["strategy"]["matrix"]["machine"] == ["ubuntu-24.04", "ubuntu-24.04-arm"]


def test_the_workflow_runs_what_the_readme_says_and_only_scripts_that_exist(job: dict[str, Any]) -> None:
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "make test" in commands
    for script in re.findall(r"scripts/[\w-]+", commands):
        assert (ROOT / script).is_file()
    known = job["strategy"]["matrix"].keys() | {"include"}
    assert set(re.findall(r"matrix\.(\w+)", commands)) <= known
