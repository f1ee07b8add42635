"""Root sources: what stands at a path inside is asked of the source, which need not be one folder."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from udock_lab.linux.elf import inspect_elf, libraries
from udock_lab.model.plain import revive, stored
from udock_lab.runtime.client.explain.refusal import explain_exec_failure
from udock_lab.runtime.client.explain.started import explain_exit_127
from udock_lab.runtime.state.extras import Asked
from udock_lab.runtime.state.resources import Folder
from udock_lab.runtime.state.rootsource import Directory, PrivateCopy, RootSource, root_of, source_of


class Layers(RootSource):
    """As an overlay will be: what the upper folder has not, the lower one has. Only there would it have a ``path``."""

    upper: str
    lower: str

    @property
    def path(self) -> str:
        return "/merged"

    def look(self, path: str, cwd: str = "/") -> str:
        todo, done = [*filter(None, f"{'' if path.startswith('/') else cwd}/{path}".split("/"))], ""
        for _ in range(99):
            if not todo:
                return self._there(done) or self.upper
            here = f"{done}/{todo.pop(0)}"
            host = self._there(here)
            if host is None:
                break
            done = here
            if os.path.islink(host):
                target = os.readlink(host)
                done = "" if target.startswith("/") else os.path.dirname(here)
                todo = [*filter(None, target.split("/")), *todo]
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _there(self, path: str) -> str | None:
        return next((layer + path for layer in (self.upper, self.lower) if os.path.lexists(layer + path)), None)

    def link(self, path: str) -> str | None:
        host = self._there(path)
        return os.readlink(host) if host and os.path.islink(host) else None

    def names(self, folder: str, cwd: str = "/") -> list[str]:
        return [name for layer in (self.upper, self.lower) if os.path.isdir(layer + folder)
                for name in os.listdir(layer + folder)]  # fmt: skip

    def inside(self, host: str) -> str:
        return host.removeprefix(self.upper).removeprefix(self.lower) or "/"


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    for name in ("upper/bin", "lower/bin"):
        (tmp_path / name).mkdir(parents=True)
    return Layers(upper=f"{tmp_path}/upper", lower=f"{tmp_path}/lower")


def put(layer: str, name: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> None:
    path = Path(layer, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def said(layers: Layers, path: str, number: int = errno.ENOENT, cwd: str = "/") -> str:
    return " ".join(explain_exec_failure(layers, [path], number, cwd, path, image="demo"))


def test_a_directory_is_its_own_path_and_needs_nothing(tmp_path: Path) -> None:
    root = Directory(path=str(tmp_path))
    assert (root.path, root.resources, root.private) == (str(tmp_path), (), None)
    assert source_of(str(tmp_path)) == root and source_of(root) is root
    assert root_of(Asked(rootfs=str(tmp_path))) == root and root_of(Asked()) is None


def test_a_private_copy_lies_in_its_folder_which_is_a_resource() -> None:
    root = PrivateCopy(of="/home/images/demo/rootfs", folder="/home/run/copy-1-ab")
    assert root.path == "/home/run/copy-1-ab/rootfs" and root.private == "/home/run/copy-1-ab"
    assert root.resources == (Folder(name="copy-1-ab"),)
    assert revive(PrivateCopy, {"of": root.of, "folder": root.folder}) == root
    assert stored(root, 1) == {"schema": 1, "of": root.of, "folder": root.folder}


def test_what_is_looked_for_is_found_as_from_inside(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("inside")
    (tmp_path / "name").symlink_to("/etc/hostname")
    (tmp_path / "gone").symlink_to("/no/where")
    root = Directory(path=f"{tmp_path}/")
    assert Path(root.look("/name")).read_text() == Path(root.look("../name", "/etc")).read_text() == "inside"
    assert (root.link("/name"), root.link("/etc"), root.link("/no/name")) == ("/etc/hostname", None, None)
    assert sorted(root.names("/")) == ["etc", "gone", "name"] and root.names("..", "/etc") == root.names("/")
    assert root.inside(root.look("/name")) == "/etc/hostname" and root.inside("/proc") == root.inside(root.path) == "/"
    assert root.unresolved("/name") == f"{tmp_path}/name"
    with pytest.raises(FileNotFoundError):
        root.look("/gone")


def test_a_program_is_missed_only_where_no_layer_has_it(layers: Layers) -> None:
    put(layers.lower, "bin/sleep")
    put(layers.upper, "bin/mkdir")
    assert "Did you mean 'sleep'?" in said(layers, "/bin/slepe")
    assert "Did you mean 'mkdir'?" in said(layers, "/bin/mkdri")
    assert "mdock run demo ls" not in said(layers, "/bin/x")
    put(layers.lower, "bin/ls")
    assert "mdock run demo ls /bin" in said(layers, "/bin/x")


def test_a_link_from_one_layer_into_the_other_dangles_only_if_nothing_is_there(layers: Layers) -> None:
    os.symlink("/bin/real", f"{layers.upper}/bin/name")
    assert "/bin/name is a symlink to /bin/real" in said(layers, "/bin/name")
    put(layers.lower, "bin/real", "#!/bin/nothing\n")
    assert "/bin/name is a script for /bin/nothing, and /bin/nothing does not exist" in said(layers, "/bin/name")
    put(layers.lower, "bin/nothing", "", 0o644)
    assert "/bin/nothing is not executable" in said(layers, "/bin/name", errno.EACCES)


def test_a_library_in_another_layer_than_its_program_is_found(layers: Layers) -> None:
    program = shutil.which("ls") or "/bin/ls"
    info, needed = inspect_elf(program), libraries(program)
    if info is None or info.interpreter is None:
        pytest.skip("needs privilege: no dynamic program here")
    put(layers.upper, "bin/ls")
    shutil.copy(program, f"{layers.upper}/bin/ls")
    assert f"its ELF loader {info.interpreter} does not exist" in said(layers, "/bin/ls")
    for number, (_, path) in enumerate(needed.found):
        put((layers.lower, layers.upper)[number % 2], path.lstrip("/"))
        shutil.copy(path, f"{(layers.lower, layers.upper)[number % 2]}{path}")
    assert f"its ELF loader {info.interpreter} does not exist" not in said(layers, "/bin/ls")
    assert explain_exit_127(layers, layers.look("/bin/ls")) is None
    lost, path = next((name, path) for name, path in needed.found if path != info.interpreter)
    os.unlink(layers.look(path))
    assert lost in (explain_exit_127(layers, layers.look("/bin/ls")) or "")
