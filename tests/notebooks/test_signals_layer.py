"""No container that a notebook starts ends the notebook by ``kill -9 -1``.

Each kernel runs in a pid namespace of its own: without the guard, the program's signal would reach everybody there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyter_client")
sys.path.insert(0, str(Path(__file__).parents[1] / "privileged"))
import rungs

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
if os.geteuid():
    NAMESPACE += ["--user", "--map-current-user"]
SCRIPT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from users_kernel import UsersKernel
kernel = UsersKernel(Path({home!r}))
cells = []
for code in ["%mdock demo", *{codes!r}, "print(6 * 7)"]:
    cells.append(vars(kernel.run(code)))
kernel.close()
print(json.dumps(cells[1:]))
"""
REFUSED = "  signals      kill(-1) is refused: it would end this notebook, too (seccomp; without it: --no-guard)"


@pytest.fixture
def place() -> Iterator[Path]:
    """A home that an ordinary user may use, too."""
    folder = Path(tempfile.mkdtemp(prefix="signals-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def cells(place: Path, codes: list[str], *rung: str) -> list[dict[str, Any]]:
    """What these cells showed in a kernel of their own namespace, and a last one that asks whether it is alive."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("needs privilege: a pid namespace")
    code = SCRIPT.format(folder=str(Path(__file__).parent), home=str(place / "home"), codes=codes)
    words = [*NAMESPACE, sys.executable, rungs.__file__, *rung, "--", code]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, (done.returncode, done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert found[-1]["stdout"] == "42\n"
    return found


@pytest.mark.parametrize("rung", [(), ("nobody",)], ids=["as-we-are", "nobody"])
def test_a_program_that_kills_everybody_kills_neither_notebook_nor_launcher(place: Path, rung: tuple[str, ...]) -> None:
    script = "kill -9 -1; echo $?; kill -TERM -1; echo $?"
    found = cells(
        place,
        [
            "from udock_lab import Runtime; runtime = Runtime(); runtime.run('demo', ['true']); who = runtime.launcher_pid",
            f"r = %mdock run demo -- /bin/sh -c '{script}'\nprint(r.signals.value)",
            f"%%mdock run demo\n{script}",
            f"print(runtime.run('demo', ['/bin/sh', '-c', {script!r}]).text)",
            "%mdock run -d demo sleep 60",
            f"%mdock exec c5 -- /bin/sh -c '{script}'",
            "%mdock ps",
            "print(runtime.launcher_pid == who, runtime.ps(running=True)[0].id)",
            "%mdock rm -f c5",
        ],
        *rung,
    )
    for cell in (found[1], found[2], found[3], found[5]):
        assert "1\n1\n" in cell["stdout"], cell
    assert found[7]["stdout"] == "True c5\n"


def test_the_card_has_one_line_more_and_no_step_more(place: Path) -> None:
    found = cells(place, ["%mdock run demo true", "%mdock run --no-guard demo true", "%mdock run --steps demo true"])
    guarded, bare = found[0]["plain"].splitlines(), found[1]["plain"].splitlines()
    line = next(line for line in guarded if line.startswith("  signals "))
    assert line.startswith(REFUSED)
    assert [other.replace("c1", "c2") for other in guarded if other != line] == bare
    assert line.split(maxsplit=1)[1].removesuffix(")") in found[0]["html"].replace("<wbr>", "")
    assert "PR_SET_SECCOMP" not in found[2]["plain"] + found[2]["stderr"]


def test_without_privilege_the_card_says_that_it_needs_no_new_privs(place: Path) -> None:
    found = cells(place, ["%mdock run demo true", "%mdock run --userns demo true"], "nobody")
    assert f"{REFUSED}; that needs no_new_privs, so setuid programs give no privileges" in found[0]["plain"]


def test_where_the_machine_takes_no_filter_the_run_goes_on_and_the_card_says_so(place: Path) -> None:
    found = cells(place, ["r = %mdock run demo -- /bin/sh -c 'exit 3'\nr"], "refuse=seccomp")
    assert "  exited with code 3\n" in found[0]["plain"]
    assert "kill(-1) would end this notebook, too: this machine takes no filter against it" in found[0]["plain"]


def test_no_guard_lets_the_signal_through_and_a_single_process_can_always_be_killed(place: Path) -> None:
    """Signal 0 asks whether one may, and harms nobody (kill(2))."""
    found = cells(
        place,
        [
            "r = %mdock run --no-guard demo -- /bin/sh -c 'kill -0 -1'\nprint(r.exit_code, r.signals)",
            "%mdock run -d --no-guard demo sleep 60",
            "r = %mdock exec --no-guard c2 -- /bin/sh -c 'kill -0 -1'\nprint(r.exit_code)",
            "import subprocess; victim = subprocess.Popen(['sleep', '60'])",
            "get_ipython().run_line_magic('mdock', f'run demo -- kill -9 {victim.pid}'); print(victim.wait(10))",
            "%mdock rm -f c2",
        ],
    )
    assert [found[at]["stdout"] for at in (0, 2, 4)] == ["0 None\n", "0\n", "-9\n"]


def test_under_a_memory_limit_the_program_runs_all_the_same(place: Path) -> None:
    codes = [f"r = %mdock run --mem {size} demo -- /bin/sh -c 'exit 7'\nprint(r.exit_code)" for size in ("1M", "8M", "64M")]
    codes += [code.replace("run ", "run --no-guard ") for code in codes]
    found = [cell["stdout"] for cell in cells(place, codes)[:-1]]
    assert found[:3] == found[3:]


def test_in_a_terminal_there_is_no_guard_and_the_flag_does_nothing(place: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MDOCK")} | {"HOME": str(place)}
    mdock = [sys.executable, "-m", "udock_lab"]
    subprocess.run([*mdock, "demo"], env=env, check=True, capture_output=True)
    for flags in ([], ["--no-guard"]):
        done = subprocess.run([*mdock, "run", *flags, "demo", "/bin/sh", "-c", "kill -0 -1"], env=env, timeout=60)
        assert done.returncode == 0
