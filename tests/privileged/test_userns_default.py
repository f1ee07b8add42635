"""An ordinary user's plain run, and the home's default for user namespaces: as users have it, with a HOME and no more."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITH = [sys.executable, str(ROOT / "scripts" / "with_privilege.py")]
WARNING = "[mdock] chroot failed (need root). Running with chdir only."
Answer = subprocess.CompletedProcess[str]


class Learner:
    """An ordinary user with a HOME of their own; with ``refused`` the machine gives no user namespaces."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {name: value for name, value in os.environ.items() if name != "MDOCK_HOME"}
        self.env |= {"HOME": str(home), "IPYTHONDIR": str(home / "ipython")}

    def __call__(self, *command: str, who: str = "user") -> Answer:
        words = [*WITH, who, *command]
        return subprocess.run(
            words, env=self.env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def mdock(self, *words: str, who: str = "user") -> Answer:
        return self(sys.executable, "-m", "udock_lab.cli", *words, who=who)

    def python(self, code: str, who: str = "user") -> str:
        done = self(sys.executable, "-c", code, who=who)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def configure(self, content: bytes) -> None:
        """As an earlier mdock, an editor or another machine left it: the learner's own file."""
        self.config.write_bytes(content)
        os.chown(self.config, self.home.stat().st_uid, self.home.stat().st_gid)

    @property
    def config(self) -> Path:
        return self.home / ".mdock" / "run" / "config"


@pytest.fixture(scope="module")
def made(demo_rootfs: Path) -> Iterator[Path]:
    """A HOME with the image ``demo`` in it, of the user who will run it."""
    home = Path(tempfile.mkdtemp(prefix="learner-"))
    learner = Learner(home)
    if os.geteuid() == 0:
        os.chown(home, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    built = learner.mdock("demo")
    assert built.returncode == 0 and "/dev/null is an ordinary file" in built.stderr, built.stderr
    yield home
    shutil.rmtree(home)


@pytest.fixture
def learner(made: Path) -> Iterator[Learner]:
    found = Learner(made)
    yield found
    found.config.unlink(missing_ok=True)
    running = found.mdock("ps", "-q", "--running").stdout.split()
    if running:
        found.mdock("rm", "-f", *running)


@pytest.fixture
def permitted(learner: Learner) -> Learner:
    if learner.mdock("run", "--userns", "demo", "true").returncode:
        pytest.skip("needs privilege: user namespaces are refused here")
    return learner


def test_where_user_namespaces_work_one_line_behind_the_warning_says_what_to_type(permitted: Learner) -> None:
    lines = permitted.mdock("run", "demo", "true").stderr.splitlines()
    assert lines[0] == WARNING
    assert len(lines) == 2 and "mdock run --userns" in lines[1] and "mdock config userns on" in lines[1]
    assert permitted.mdock("run", "-d", "demo", "true").stderr.splitlines() == lines


def test_where_they_are_refused_or_declined_the_warning_stands_alone(permitted: Learner) -> None:
    assert permitted.mdock("run", "demo", "true", who="refused").stderr == WARNING + "\n"
    assert permitted.mdock("run", "--no-userns", "demo", "true").stderr == WARNING + "\n"
    started = permitted.mdock("run", "-d", "--no-userns", "demo", "sleep", "60").stdout.strip()
    assert permitted.mdock("exec", started, "true").stderr == WARNING + "\n", "exec goes where its container is"


def test_one_trial_serves_many_runs_and_another_one_is_made_when_the_machine_changes(permitted: Learner) -> None:
    permitted.mdock("run", "demo", "true")
    kept = permitted.home / ".mdock" / "run" / "userns_trial"
    before = kept.stat().st_mtime_ns
    permitted.mdock("run", "demo", "true")
    assert kept.stat().st_mtime_ns == before
    permitted.mdock("run", "demo", "true", who="refused")
    assert kept.read_bytes().startswith(b"refused")


def test_the_homes_default_holds_on_the_command_line_and_no_userns_is_the_exception(permitted: Learner) -> None:
    assert permitted.mdock("config", "userns", "on").returncode == 0
    assert permitted.mdock("run", "demo", "id", "-u").stdout == "0\n"
    started = permitted.mdock("run", "-d", "demo", "sleep", "60")
    assert started.stderr == ""
    assert permitted.mdock("exec", started.stdout.strip(), "id", "-u").stdout == "0\n"
    plain = permitted.mdock("run", "--no-userns", "demo", "id", "-u")
    assert plain.stdout != "0\n" and plain.stderr == WARNING + "\n"
    assert permitted.mdock("config", "userns", "off").returncode == 0
    assert permitted.mdock("run", "demo", "id", "-u").stdout == plain.stdout
    assert permitted.mdock("exec", started.stdout.strip(), "id", "-u").stdout == "0\n", "exec follows its container"


FROM_PYTHON = """
from udock_lab import ContainerSpec, Runtime
runtime = Runtime()
for userns in (None, False, True):
    found = runtime.run("demo", ["id", "-u"], userns=userns)
    print(found.isolation.value, found.text.strip() == "0", len(found.notes))
print(runtime.run(ContainerSpec(image="demo", argv=("id", "-u"))).text.strip() == "0")
runtime.configure("userns", True)
print(runtime.run("demo", ["id", "-u"]).text.strip() == "0", runtime.settings())
print(runtime.run(ContainerSpec(image="demo", argv=("id", "-u"))).text.strip() == "0")
print(runtime.run("demo", ["id", "-u"], userns=False).text.strip() == "0")
started = runtime.run("demo", ["sleep", "60"], detach=True)
print(runtime.inspect(started.id).data["spec"]["userns"], runtime.exec(started.id, ["id", "-u"]).text.strip())
runtime.kill(started.id)
runtime.close()
"""


def test_the_homes_default_holds_from_python(permitted: Learner) -> None:
    assert permitted.python(FROM_PYTHON).splitlines() == [
        "chdir False 2",
        "chdir False 1",
        "userns+chroot True 0",
        "False",
        "True {'userns': True}",
        "True",
        "False",
        "True 0",
    ]


IN_CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
shell.history_manager.enabled = False
shell.extension_manager.load_extension("udock_lab")
for cell in CELLS:
    shell.run_cell(cell).raise_error()
shell.extension_manager.unload_extension("udock_lab")
"""


def test_the_homes_default_holds_in_cells(permitted: Learner) -> None:
    cells = [
        "first = %mdock run demo -- id -u",
        "%mdock config userns on",
        "second = %mdock run demo -- id -u",
        "third = %mdock run --no-userns demo -- id -u",
        "told = %mdock config userns",
        "print([r.isolation.value for r in (first, second, third)], told, first.notes[1])",
    ]
    said = permitted.python(IN_CELLS.replace("CELLS", json.dumps(cells))).splitlines()[-1]
    assert said.startswith("['chdir', 'userns+chroot', 'chdir'] on User namespaces work here")


def test_demo_says_what_the_image_lacks_on_this_machine(learner: Learner) -> None:
    """Nobody but root may make device nodes: a shell's /dev/null is an ordinary file then, and that is told once."""
    home = learner.home / "another"
    made = learner(sys.executable, "-c", f"from udock_lab import Runtime; Runtime({str(home)!r}).demo(on_note=print)")
    assert "/dev/null is an ordinary file" in made.stdout, made.stderr
    again = learner(sys.executable, "-c", f"from udock_lab import Runtime; Runtime({str(home)!r}).demo(on_note=print)")
    assert (again.returncode, again.stdout) == (0, "")


def test_config_lists_what_is_set_and_doctor_shows_it(permitted: Learner) -> None:
    assert permitted.mdock("config").stdout == "userns off\n"
    assert permitted.mdock("config", "userns", "on").stdout == ""
    assert permitted.mdock("config").stdout == "userns on\n"
    assert permitted.config.read_text() == "userns=on\n"
    assert permitted.mdock("config", "userns").stdout == "on\n"
    assert "mdock config): userns on" in permitted.mdock("doctor").stdout


@pytest.mark.parametrize(
    ("words", "said"), [(("nosuch",), "It has: userns"), (("userns", "maybe"), "mdock config userns on")]
)
def test_what_is_no_setting_or_no_value_is_refused_with_what_to_type(
    learner: Learner, words: tuple[str, ...], said: str
) -> None:
    done = learner.mdock("config", *words)
    assert done.returncode == 2 and said in done.stderr and not learner.config.exists()


def test_a_machine_that_refuses_user_namespaces_is_not_set_to_use_them(learner: Learner) -> None:
    done = learner.mdock("config", "userns", "on", who="refused")
    assert done.returncode == 1 and "mdock doctor" in done.stderr and not learner.config.exists()
    learner.configure(b"userns=on\n")  # brought along from another machine
    refused = learner.mdock("run", "demo", "true", who="refused")
    assert refused.returncode == 125 and "mdock config userns off" in refused.stderr
    assert learner.mdock("run", "--no-userns", "demo", "true", who="refused").returncode == 0
    assert learner.mdock("config", "userns", "off", who="refused").returncode == 0


@pytest.mark.parametrize("line", [b"userns=perhaps\n", b"color=blue\n", b"\xff\xfe\n", b"userns"])
def test_a_line_that_sets_nothing_is_told_and_kept(learner: Learner, line: bytes) -> None:
    learner.configure(line)
    done = learner.mdock("config")
    assert done.stdout == "userns off\n" and "config has a line" in done.stderr
    learner.mdock("config", "userns", "off")
    assert learner.config.read_bytes() == (b"userns=off\n" if line.startswith(b"userns") else line + b"userns=off\n")


@pytest.mark.parametrize("spoil", [lambda path: path.mkdir(), lambda path: os.mkfifo(path)])
def test_what_is_no_file_in_its_place_is_named_and_hangs_nothing(
    learner: Learner, spoil: Callable[[Path], None]
) -> None:
    spoil(learner.config)
    try:
        done = learner.mdock("run", "demo", "true")
        assert done.returncode == 125 and str(learner.config) in done.stderr and "mv " in done.stderr
    finally:
        learner.config.rmdir() if learner.config.is_dir() else learner.config.unlink()
