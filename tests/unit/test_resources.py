"""Resources of containers: written down first, released once or twice, and never more than mdock made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab.errors import MdockError
from udock_lab.runtime.state import extras, resources
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.resources import Claim, Folder, KeptImage, Resource

CLAIMING = """
import sys
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.resources import Claim, Folder
claim = Claim(Home(sys.argv[1]), Folder(name="copy-1-ab"))
input(print(claim.name, flush=True) or "")
claim.give_up()
"""


@pytest.fixture
def store(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def claiming(store: Home) -> Iterator[subprocess.Popen[str]]:
    """A caller that has claimed and made run/copy-1-ab, and gives it up at the next line."""
    command = [sys.executable, "-c", CLAIMING, store.path]
    caller = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None and caller.stdout.readline().startswith("resources-")
    make(store, "copy-1-ab")
    yield caller
    caller.kill()
    caller.communicate()


def make(store: Home, name: str) -> Path:
    folder = Path(store.run_dir, name, "rootfs")
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return folder.parent


def file_of(store: Home, container_id: str = "c1") -> Path:
    return Path(store.container_dir(container_id), "resources.json")


def left_in_run(store: Home) -> list[str]:
    return sorted(os.listdir(store.run_dir))


def hold(store: Home, *wanted: Resource, container_id: str = "c1") -> None:
    for resource in wanted:
        resources.note(store, container_id, resource)


# --- a container's


def test_the_file_says_which_kind_it_is_and_what_it_takes_to_find_it(store: Home) -> None:
    hold(store, Folder(name="copy-1-ab"), KeptImage(name="kept-1-ab"))
    data = json.loads(file_of(store).read_text())
    assert data["schema"] == 1
    assert data["resources"] == [{"is": "folder", "name": "copy-1-ab"}, {"is": "kept_image", "name": "kept-1-ab"}]
    assert resources.resources_of(store, "c1") == {Folder(name="copy-1-ab"), KeptImage(name="kept-1-ab")}


def test_what_is_released_is_gone_and_so_is_the_file(store: Home) -> None:
    folder = make(store, "copy-1-ab")
    hold(store, Folder(name="copy-1-ab"))
    for _ in range(2):
        resources.release_all(store, "c1")
        assert not folder.exists() and os.listdir(store.container_dir("c1")) == []


def test_what_was_never_acquired_is_released_without_a_word(store: Home) -> None:
    hold(store, Folder(name="copy-1-ab"))
    resources.release_all(store, "c1")
    assert not file_of(store).exists()


def test_writing_it_down_twice_is_writing_it_down_once(store: Home) -> None:
    hold(store, Folder(name="copy-1-ab"), Folder(name="copy-1-ab"))
    assert len(json.loads(file_of(store).read_text())["resources"]) == 1


class Group(Resource):
    """As a cgroup will be: a folder elsewhere, which has to be empty before it goes (rmdir(2))."""

    path: str

    def release(self, home: Home) -> None:
        if os.path.lexists(self.path):
            os.rmdir(self.path)


def test_a_kind_of_its_own_is_a_class_and_nothing_else(store: Home, tmp_path: Path) -> None:
    group, folder = tmp_path / "group", make(store, "copy-1-ab")
    hold(store, Group(path=str(group)), Folder(name="copy-1-ab"))
    (group / "busy").mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        resources.release_all(store, "c1")
    assert not folder.exists() and json.loads(file_of(store).read_text())["resources"] == [
        {"is": "group", "path": str(group)}
    ]
    (group / "busy").rmdir()
    resources.release_all(store, "c1")
    assert not group.exists() and not file_of(store).exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"is": "veth", "name": "v1", "peer": {"netns": ["a", {"b": 1}]}},
        {"is": "folder", "names": ["copy-1-ab"]},
        {"name": "copy-1-ab"},
        {"is": ["folder"], "name": "copy-1-ab"},
    ],
)
def test_what_a_newer_version_wrote_is_kept_and_said_and_the_rest_is_released(
    store: Home, entry: dict[str, object]
) -> None:
    folder = make(store, "copy-2-ab")
    written = {"schema": 1, "more": 5, "resources": [entry, {"is": "folder", "name": "copy-2-ab"}]}
    extras.save_extra(store, "c1", "resources", written)
    for _ in range(2):
        with pytest.raises(MdockError) as caught:
            resources.release_all(store, "c1")
        assert (
            "this version of mdock cannot release" in caught.value.message and str(file_of(store)) in caught.value.hint
        )
        assert json.loads(file_of(store).read_text()) == written | {"resources": [entry]}
    assert not folder.exists()
    assert resources.shown_of(store, "c1") == [entry]


def test_a_newer_schema_is_left_as_it_is_and_said_by_its_number(store: Home) -> None:
    folder = make(store, "copy-1-ab")
    extras.save_extra(store, "c1", "resources", {"schema": 2, "resources": [{"is": "folder", "name": "copy-1-ab"}]})
    before = file_of(store).read_bytes()
    with pytest.raises(MdockError, match="its schema is 2, and this version reads up to 1"):
        resources.release_all(store, "c1")
    resources.release_strays(store)
    assert file_of(store).read_bytes() == before and folder.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resources": {}}', '{"resources": [1, null]}', "\xff"])
def test_a_file_that_somebody_spoilt_is_an_empty_one(store: Home, text: str) -> None:
    extras.own_folder(store, "c1")
    file_of(store).write_text(text, encoding="latin-1")
    assert resources.resources_of(store, "c1") == set()
    resources.release_all(store, "c1")
    assert not file_of(store).exists()


@pytest.mark.parametrize("name", ["../precious", "copy-1-/../../../precious", "lock", "", ".", "copy-1-\0", "/etc"])
def test_only_what_mdock_made_in_run_is_ever_removed(store: Home, name: str) -> None:
    precious = Path(store.path, "precious")
    precious.mkdir()
    Path(store.lock).touch()
    hold(store, Folder(name=name), KeptImage(name=name))
    resources.release_all(store, "c1")
    assert precious.is_dir() and Path(store.lock).exists() and Path(store.run_dir).is_dir()


def test_a_replaced_image_goes_with_the_last_that_has_it(store: Home) -> None:
    image = make(store, "kept-1-ab")
    for name in ("c1", "c2"):
        hold(store, KeptImage(name="kept-1-ab"), container_id=name)
    resources.release_all(store, "c1")
    assert image.exists() and not file_of(store).exists()
    resources.release_all(store, "c2")
    assert not image.exists()


def test_what_resists_keeps_its_entry_and_says_why(store: Home) -> None:
    folder = make(store, "copy-1-ab")
    hold(store, Folder(name="copy-1-ab"))
    if os.geteuid() == 0:
        pytest.skip("needs privilege: nothing of this kind resists root")
    os.chmod(store.run_dir, 0o500)
    try:
        with pytest.raises(MdockError, match="cannot be removed"):
            resources.release_all(store, "c1")
    finally:
        os.chmod(store.run_dir, 0o700)
    assert resources.resources_of(store, "c1") == {Folder(name="copy-1-ab")}
    resources.release_all(store, "c1")
    assert not folder.exists()


# --- what earlier versions wrote


@pytest.mark.parametrize("name", ["copy-1-ab", "kept-1-ab"])
def test_what_an_earlier_version_said_in_the_spec_is_released(store: Home, name: str) -> None:
    folder = make(store, name)
    extras.save_extra(store, "c1", "spec", {"private": str(folder), "rootfs": f"{folder}/rootfs"})
    assert [entry["name"] for entry in resources.shown_of(store, "c1")] == [name]
    resources.release_strays(store)
    assert folder.exists()
    resources.release_all(store, "c1")
    assert not folder.exists()


def test_what_an_earlier_version_said_stays_beside_what_is_added(store: Home) -> None:
    extras.save_extra(store, "c1", "spec", {"private": f"{store.run_dir}/copy-1-ab"})
    hold(store, KeptImage(name="kept-1-ab"))
    assert resources.resources_of(store, "c1") == {Folder(name="copy-1-ab"), KeptImage(name="kept-1-ab")}


# --- a caller's claim


def test_a_claim_of_a_living_caller_is_left_alone(store: Home, claiming: subprocess.Popen[str]) -> None:
    resources.release_strays(store)
    assert Path(store.run_dir, "copy-1-ab/rootfs/file").exists()
    claiming.communicate("\n")
    assert left_in_run(store) == ["lock"]


def test_a_claim_of_a_killed_caller_is_released(store: Home, claiming: subprocess.Popen[str]) -> None:
    claiming.kill()
    claiming.wait()
    assert len(left_in_run(store)) == 3
    resources.release_strays(store)
    assert left_in_run(store) == ["lock"]


def test_a_claim_that_was_killed_while_it_was_written_is_forgotten(store: Home) -> None:
    for text in ("", '{"schema":1,"owner":{"pi'):
        Path(store.run_dir, "resources-1-ab.json").write_text(text)
        resources.release_strays(store)
        assert left_in_run(store) == []


def test_a_claim_of_a_newer_version_is_kept_with_all_it_may_mean(store: Home) -> None:
    folder = make(store, "copy-1-ab")
    claim = Path(store.run_dir, "resources-1-ab.json")
    claim.write_text('{"schema": 2, "resources": "of another shape"}')
    resources.release_strays(store)
    assert claim.exists() and folder.exists()


def test_what_a_container_took_over_is_the_callers_no_more(store: Home) -> None:
    claim = Claim(store, Folder(name="copy-1-ab"))
    folder = make(store, "copy-1-ab")
    resources.take_over(store, claim.name, "c1")
    claim.give_up()
    resources.release_strays(store)
    assert folder.exists() and resources.resources_of(store, "c1") == {Folder(name="copy-1-ab")}


def test_what_was_given_up_is_taken_over_by_nobody(store: Home) -> None:
    claim = Claim(store, Folder(name="copy-1-ab"))
    folder = make(store, "copy-1-ab")
    claim.give_up()
    claim.give_up()
    assert not folder.exists() and left_in_run(store) == ["lock"]
    with pytest.raises(MdockError) as caught:
        resources.take_over(store, claim.name, "c1")
    assert caught.value.hint == "Run it again." and os.listdir(store.containers_dir) == []


def test_what_is_given_back_is_the_callers_again(store: Home) -> None:
    claim = Claim(store, Folder(name="copy-1-ab"))
    folder = make(store, "copy-1-ab")
    resources.take_over(store, claim.name, "c1")
    resources.give_back(store, claim.name, "c1")
    assert os.listdir(store.containers_dir) == [] and folder.exists()
    claim.give_up()
    assert left_in_run(store) == ["lock"]


def test_a_claim_goes_to_a_container_whose_folder_lies_on_another_disk(store: Home) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == os.stat(store.path).st_dev:
        pytest.skip("needs privilege: two file systems to write to")
    elsewhere = shm / f"udock-{os.getpid()}"
    elsewhere.mkdir()
    try:
        os.rmdir(store.containers_dir)
        os.symlink(elsewhere, store.containers_dir)
        claim = Claim(store, Folder(name="copy-1-ab"))
        folder = make(store, "copy-1-ab")
        resources.take_over(store, claim.name, "c1")
        claim.give_up()
        assert folder.exists() and left_in_run(store) == ["copy-1-ab", "lock"]
        resources.release_all(store, "c1")
        assert left_in_run(store) == ["lock"]
        os.rmdir(elsewhere / "c1")
    finally:
        elsewhere.rmdir()


def test_a_claim_that_names_what_a_container_has_does_not_take_it_away(store: Home) -> None:
    """As a supervisor leaves it that is killed between two disks."""
    folder = make(store, "copy-1-ab")
    hold(store, Folder(name="copy-1-ab"))
    Path(store.run_dir, "resources-1-ab.json").write_bytes(file_of(store).read_bytes())
    resources.release_strays(store)
    assert folder.exists() and left_in_run(store) == ["copy-1-ab"]


# --- what has no record


def test_what_a_container_without_a_record_had_is_released(store: Home) -> None:
    folder = make(store, "copy-1-ab")
    hold(store, Folder(name="copy-1-ab"))
    hold(store, Folder(name="copy-2-ab"), container_id="c2")
    resources.release_unrecorded(store, {"c2"})
    assert not folder.exists() and os.listdir(store.containers_dir) == ["c2"]


def test_a_folder_that_is_no_containers_is_not_touched(store: Home) -> None:
    Path(store.containers_dir, "mine").mkdir()
    Path(store.containers_dir, "c1").mkdir()
    resources.release_unrecorded(store, set())
    assert os.listdir(store.containers_dir) == ["mine"]


def test_a_home_by_another_name_is_the_same_home(store: Home, tmp_path: Path) -> None:
    folder = make(store, "copy-1-ab")
    hold(store, Folder(name="copy-1-ab"))
    os.symlink(store.path, tmp_path / "other")
    other = Home(tmp_path / "other")
    resources.release_strays(other)
    assert folder.exists()
    resources.release_all(other, "c1")
    assert not folder.exists()
