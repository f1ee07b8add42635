"""``docs/hub.md``: its values are what hubs read, its image is built, step by step, and the learners' repository has it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/hub.md").read_text()
STUDENTS = ROOT / "exercises/students"
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "benchmarks"))

from build_image import NOT_COPIED, instructions  # noqa: E402
from hub import lessons  # noqa: E402


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)


def merged(*values: dict[str, Any]) -> dict[str, Any]:
    """As helm merges files of values."""
    whole: dict[str, Any] = {}
    for value in values:
        for key, own in value.items():
            whole[key] = merged(whole.get(key, {}), own) if isinstance(own, dict) else own
    return whole


@pytest.fixture(scope="module")
def values() -> list[dict[str, Any]]:
    """TLJH's file, then those for z2jh."""
    return [yaml.safe_load(text) for text in blocks("yaml")]


def pod(values: dict[str, Any]) -> dict[str, Any]:
    """The pod that KubeSpawner makes of these values, as far as they say it."""
    user = values["singleuser"]
    spawner = values.get("hub", {}).get("config", {}).get("KubeSpawner", {})
    security = {"runAsUser": user.get("uid", 1000), "allowPrivilegeEscalation": False}
    container = {
        "name": "notebook",
        "image": f"{user['image']['name']}:{user['image']['tag']}",
        "imagePullPolicy": user["image"]["pullPolicy"],
        "command": user.get("cmd", ["jupyterhub-singleuser"]),
        "securityContext": security | spawner.get("container_security_context", {}),
        "resources": {
            bound: {"cpu": str(user["cpu"][said]), "memory": user["memory"][said]}
            for bound, said in (("requests", "guarantee"), ("limits", "limit"))
        },
    }
    spec = {"containers": [container], **user.get("extraPodConfig", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "jupyter-kim"}, "spec": spec}


def test_each_way_of_z2jh_gives_a_pod_that_kubernetes_takes(values: list[dict[str, Any]]) -> None:
    _, common, unconfined, root = values
    pods = [pod(merged(common, *more)) for more in ((), (unconfined,), (root,))]
    assert [one["spec"]["containers"][0]["securityContext"]["runAsUser"] for one in pods] == [1000, 1000, 0]
    assert pods[1]["spec"]["containers"][0]["securityContext"]["seccompProfile"] == {"type": "Unconfined"}
    assert pods[2]["spec"]["hostUsers"] is False, "root in a pod is nobody on its node"
    validate = pytest.importorskip("kubernetes_validate")
    for one in pods:
        validate.validate(one, "1.31", strict=True)


def test_tljh_s_values_and_commands_can_be_read(values: list[dict[str, Any]]) -> None:
    assert values[0]["limits"] == {"memory": "1G", "cpu": 1}
    assert values[0]["user_environment"] == {"default_app": "jupyterlab"}
    for text in blocks("sh"):
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    (python,) = blocks("python")
    compile(python, "udock_lab.py", "exec")


def test_the_links_lead_to_notebooks_that_learners_get() -> None:
    (link,) = (line for text in blocks("text") for line in text.split())
    told = parse_qs(urlsplit(link).query)
    ends = [told["urlpath"][0], *re.findall(r"`urlpath=([^`]+)`", PAGE)]
    for end in ends:
        name = parse_qs(f"at={end}")["at"][0].removeprefix("lab/tree/containers/lessons/")
        at = ROOT / "exercises/release" / name.removeprefix("exercises/") if "/" in name else ROOT / "notebooks" / name
        assert at.is_file(), end
    assert told["repo"] == ["https://github.com/school/containers"]


def test_hub_binder_codespace_and_ci_are_of_one_dockerfile(values: list[dict[str, Any]]) -> None:
    workflow = yaml.safe_load((STUDENTS / ".github/workflows/image.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["image"]["steps"] if "run" in step]
    assert "docker build --file binder/Dockerfile" in steps[0]
    for step in steps:
        subprocess.run(["bash", "-n"], input=step, text=True, check=True)
    assert values[1]["singleuser"]["image"]["name"] == "ghcr.io/school/containers"
    for folder in (ROOT, STUDENTS):
        container = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
        assert container["build"] == {"dockerfile": "../binder/Dockerfile", "context": ".."}
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {name.removeprefix("**/") for name in ignored} <= set(NOT_COPIED)


def test_dockerfile_is_read_as_docker_reads_it() -> None:
    text = "# a comment\nFROM debian:trixie-slim\n\nRUN one \\\n  && two\nENV A=b\n"
    assert list(instructions(text)) == [("FROM", "debian:trixie-slim"), ("RUN", "one    && two"), ("ENV", "A=b")]


def test_build_image_says_what_it_cannot_do(tmp_path: Path) -> None:
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder/Dockerfile").write_text("FROM scratch\n")
    command = [sys.executable, str(ROOT / "scripts/build_image.py"), str(tmp_path / "tree"), "--context", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = "only debian:SUITE-slim can be made here" if os.geteuid() == 0 else "it needs root"
    assert (
        done.returncode == (1 if os.geteuid() == 0 else 77) and said in done.stderr and "Traceback" not in done.stderr
    )


def test_the_benchmark_of_a_class_has_every_row() -> None:
    command = [sys.executable, str(ROOT / "benchmarks/hub.py"), "--learners", "2", "--cells", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    heading, rows, goals = done.stdout.strip().split("\n\n")
    assert heading.startswith("2 learners on ")
    names = [re.split(r"  +", line)[0] for line in rows.splitlines()[1:]]
    assert names == [
        "a cell, one learner",
        "a cell, 2 learners at once",
        "a bare kernel (PSS)",
        "a kernel within a lesson, and its helpers",
        "the kernel after it",
    ]
    assert re.match(r"(met|NOT MET) ", goals)
    assert len(lessons()) == 9
    assert "\t$(PYTHON) benchmarks/hub.py\n" in (ROOT / "Makefile").read_text()


IN_THE_IMAGE = """
test "$(id -un)" = jovyan && test "$HOME" = /home/jovyan && test -w "$HOME"
jupyterhub-singleuser --version && jupyter notebook --version && jupyter lab --version && jupyter server extension list
mdock run demo -- /bin/sh -c "echo it runs; exit 7" || test $? -eq 7
test -f lessons/00_start_here.ipynb && grep -q lessons/00_start_here.ipynb /opt/udock-lab/etc/jupyter/jupyter_server_config.json
cp answered.ipynb /tmp/m2_1_process_creation.ipynb && udock-lab check /tmp/m2_1_process_creation.ipynb
"""


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_the_image_of_a_learners_repository_is_built_and_judges_in_a_chroot_of_mdock_s(tmp_path: Path) -> None:
    """Docker's layers are not tried; every step of the Dockerfile is."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("needs privilege: root, and mmdebstrap (apt-get install mmdebstrap)")
    sys.path.insert(0, str(ROOT / "tests/exercises"))
    from classroom import answer, dump, handed_in

    students = tmp_path / "containers"
    release = [sys.executable, "-m", "udock_lab.course", "release", str(students)]
    subprocess.run(release, check=True, capture_output=True)
    slug = "m2_1_process_creation"
    dump(handed_in(slug, answer(slug, "right_a_class")), students / "answered.ipynb")
    command = [sys.executable, str(ROOT / "scripts/build_image.py"), str(tmp_path / "tree"), "--context", str(students)]
    then = [word for line in IN_THE_IMAGE.strip().splitlines() for word in ("--then", line)]
    done = subprocess.run([*command, *then], capture_output=True, text=True, timeout=2300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "Image: demo is ready." in done.stdout and "it runs" in done.stdout
    assert "nbgitpuller" in done.stdout + done.stderr
    assert f"{slug}.ipynb: 7 of 7 points" in done.stdout
