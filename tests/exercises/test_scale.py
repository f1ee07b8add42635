"""A class in parts: everybody is judged once, whatever happens to those who judge."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from classroom import dump, handed_in

from udock_lab import course as program
from udock_lab.errors import UsageError
from udock_lab.grading.batch import Batch
from udock_lab.grading.sharding import Shard, shard_of
from udock_lab.grading.submissions import Sent, find_submissions
from udock_lab.grading.tries import MOST, Tries

SLUG = "m2_1_process_creation"
NOT_WRITTEN = "def launch(argv):\n    raise NotImplementedError"
LOOPS = "def launch(argv):\n    while True: pass"


def hand_in(folder: Path, learner: str, source: str = NOT_WRITTEN) -> None:
    dump(handed_in(SLUG, f"# {learner}\n{source}"), folder / learner / SLUG / f"{SLUG}.ipynb")


# --- parts


def test_every_learner_is_in_one_part_whatever_else_is_handed_in() -> None:
    sent = [Sent(learner=f"kim{n}", name=name, path=Path("x")) for n in range(200) for name in "ab"]
    parts = [Shard(number, 7).of(sent) for number in range(7)]
    assert len([one for part in parts for one in part]) == len(sent)
    learners = [{one.learner for one in part} for part in parts]
    assert all(learners) and sum(map(len, learners)) == len(set().union(*learners)) == 200
    assert Shard(3, 7).of(sent[100:]) == [one for one in parts[3] if one in sent[100:]]


@pytest.mark.parametrize("words", ["4/4", "1", "a/b", "-1/3", "0/0", "1/2/3"])
def test_a_part_that_is_not_there_is_refused_with_how_they_are_counted(words: str) -> None:
    with pytest.raises(UsageError, match="counted from 0"):
        shard_of(words)


def test_parts_are_collected_into_one_class_and_what_is_missing_is_told(tmp_path: Path, capsys: Any) -> None:
    submitted = tmp_path / "submitted"
    for learner in ("kim", "lee", "max"):
        hand_in(submitted, learner)
    first = {one.learner for one in Shard(0, 2).of(find_submissions(submitted))}
    assert 0 < len(first) < 3
    assert program.main(["grade", str(submitted), "--shard", "0/2"]) == 0
    assert not (tmp_path / "graded" / "class.html").exists()
    assert program.main(["collect", str(submitted)]) == 1
    assert f"{3 - len(first)} of 3 are missing" in capsys.readouterr().err
    assert program.main(["grade", str(submitted), "--shard", "1/2"]) == 0
    assert program.main(["collect", str(submitted)]) == 0
    assert "3 submissions of 3 learners" in (tmp_path / "graded" / "class.html").read_text()
    hand_in(submitted, "kim", "# changed\n" + NOT_WRITTEN)
    assert program.main(["collect", str(submitted)]) == 1, "what is kept is of another notebook"


# --- what ends those who judge it


def test_a_submission_that_ended_three_of_its_judges_is_marked_and_not_tried_again(tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", "kim")
    (sent,) = find_submissions(tmp_path / "submitted")
    tries = Tries(tmp_path / "graded")
    for _ in range(MOST):
        tries.begin(sent)
    batch = Batch(tmp_path / "graded", tries=tries)
    assert f"was tried {MOST} times" in batch.one(sent).handed.why
    assert batch.one(sent).handed.out_of == 7
    again = Batch(tmp_path / "graded", again=True, tries=tries)
    assert again.one(sent).handed.why == ""
    assert tries.before(sent) == 0, "it came to its end"


# --- what docs/scale.md shows


def blocks(language: str) -> list[str]:
    page = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text()
    return re.findall(rf"```{language}\n(.+?)```", page, re.DOTALL)


def shards_in(text: str) -> list[str]:
    """Each ``udock-lab grade`` with a part, its number filled in, if the program knows all of its words."""
    found = re.findall(r"udock-lab (grade .*--shard .*)", text)
    said = [re.sub(r"\$\{?\w+\}?|\{\}", "1", words).replace('"', "") for words in found]
    return [program.cli._parse(words.split()).shard for words in said]


def test_the_jobs_of_the_page_are_bash_and_ask_for_parts_that_there_are() -> None:
    jobs = blocks("bash")
    for job in jobs:
        subprocess.run(["bash", "-n"], input=job, text=True, check=True)
    assert [shards_in(job) for job in jobs] == [["1/16"], ["1/100"]]
    array = re.search(r"--array=0-(\d+)", jobs[1])
    assert array and int(array[1]) + 1 == 100


def manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return [yaml.safe_load(text) for text in blocks("yaml")]


def valid(manifest: dict[str, Any]) -> None:
    """It is what Kubernetes takes: no field is missing, of another type, or unknown."""
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_the_dask_cluster_of_the_page_is_made_of_pods_and_a_service_that_see_the_class() -> None:
    """Kubernetes itself does not know what the operator defines (kubernetes.dask.org/v1); of what it makes, it does."""
    (made,) = (one for one in manifests() if one["kind"] == "DaskCluster")
    (job,) = (one for one in manifests() if one["kind"] == "Job")
    worker, scheduler = made["spec"]["worker"]["spec"], made["spec"]["scheduler"]
    for spec in (worker, scheduler["spec"]):
        valid({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec})
    valid({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": scheduler["service"]})
    named = {port["name"] for port in scheduler["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in scheduler["service"]["ports"]} == named
    assert scheduler["service"]["selector"]["dask.org/cluster-name"] == made["metadata"]["name"]
    task = job["spec"]["template"]["spec"]
    assert worker["volumes"] == task["volumes"]
    for key in ("image", "workingDir", "volumeMounts"):
        assert worker["containers"][0][key] == task["containers"][0][key]


def test_the_addresses_of_the_page_are_what_the_program_takes() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text()
    found = re.findall(r"`udock-lab (grade .*--cluster .*?)`", page)
    said = [program.cli._parse(words.split()).cluster for words in found]
    assert said == ["local", "tcp://10.0.0.1:8786"]
    for block in blocks("python"):
        compile(block, "docs/scale.md", "exec")


def test_the_kubernetes_job_of_the_page_has_a_task_for_each_part() -> None:
    (job,) = (one for one in manifests() if one["kind"] == "Job")
    valid(job)
    spec = job["spec"]
    assert (job["apiVersion"], job["kind"], spec["completionMode"]) == ("batch/v1", "Job", "Indexed")
    (container,) = spec["template"]["spec"]["containers"]
    assert shards_in(container["args"][0]) == [f"1/{spec['completions']}"]
    assert spec["backoffLimitPerIndex"] > MOST
    volumes = {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
