"""The workflow of a public repository tests the Pythons and the commands that the package names."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import udock_lab.version

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import check_release  # noqa: E402


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


def test_a_release_is_checked_built_tried_and_published_without_a_token() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` so
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    commands = "\n".join(step.get("run", "") for step in build["steps"])
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)
    for script in re.findall(r"scripts/[\w.-]+", commands):
        assert (ROOT / script).is_file()
    assert publish["needs"] == "build" and publish["permissions"] == {"id-token": "write"}
    assert not any("secrets." in str(step) for job in workflow["jobs"].values() for step in job["steps"])


def test_a_tag_is_released_only_if_version_changelog_and_citation_agree() -> None:
    ours, citation = check_release.version(), (ROOT / "CITATION.cff").read_text()
    dated = f"# Changelog\n\n## [{ours}] - 2026-01-02\n"
    assert list(check_release.missing(f"v{ours}", dated, citation)) == []
    wrong = list(check_release.missing("v9.9.9", "## [Unreleased]\n", "version: 9.9.9\n"))
    assert len(wrong) == 3 and all(ours in line for line in wrong)


def test_the_version_stands_in_one_place_and_the_citation_has_it() -> None:
    ours = check_release.version()
    assert importlib.metadata.version("udock-lab") == ours == udock_lab.version.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project and "version" in project["dynamic"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == ours and {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_site_is_built_by_the_script_of_make_site_and_published_without_a_right_to_write_here() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text())
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    commands = [step["run"] for step in build["steps"] if "run" in step]
    subprocess.run(["bash", "-n"], input="\n".join(commands), text=True, check=True)
    assert "scripts/make_site.py" in commands[-1]
    assert "scripts/make_site.py" in (ROOT / "Makefile").read_text()
    assert build["steps"][-1]["with"] == {"path": "build/site/html"}
    assert workflow["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    for step in build["steps"]:  # whatever GitHub puts into a text is a variable of the shell, not a part of the script
        assert "${{" not in step.get("run", "")
