"""``udock-lab start`` and ``make lab`` end in a JupyterLab that shows the first lesson."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from served_lab import first_page, serving, settings_of_nobody
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
FIRST = min(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_start_without_a_screen_serves_the_first_lesson_and_prints_its_address(tmp_path: Path) -> None:
    place = tmp_path / "a lab"
    command = [sys.executable, "-m", "udock_lab.course", "start", str(place), "--"]
    with serving(command, "--port", settings_of_nobody(tmp_path)) as address:
        assert first_page(address).endswith(f"/lab/tree/{FIRST}")
    assert (place / FIRST).exists()


def test_make_lab_without_a_screen_serves_a_copy_of_the_lessons_and_exercises(tmp_path: Path) -> None:
    place = tmp_path / "lessons"
    environment = settings_of_nobody(tmp_path) | {"LAB_DIR": str(place)}
    with serving([str(ROOT / "scripts/lab")], "--port", environment) as address:
        assert first_page(address).endswith(f"/lab/tree/{FIRST}")
    assert (place / FIRST).exists()
    assert (place / "exercises/m2_1_process_creation/m2_1_process_creation.ipynb").exists()


def test_start_says_what_it_does_and_prints_the_address_last_and_on_a_line_of_its_own(tmp_path: Path) -> None:
    place, log = tmp_path / "a lab", tmp_path / "said"
    command = [sys.executable, "-m", "udock_lab.course", "start", str(place), "--", "--port=0"]
    users = {name: value for name, value in settings_of_nobody(tmp_path).items() if name != "JUPYTER_TOKEN"}
    with log.open("w") as out:
        server = subprocess.Popen(command, env=users, stdout=out, stderr=out)
    try:
        until(lambda: "token=" in log.read_text() or server.poll() is not None, 120)
        lines = log.read_text().splitlines()
        with urllib.request.urlopen(lines[-1], timeout=30) as answer:
            page = answer.read().decode()
            assert answer.url.partition("?")[0].endswith(f"/lab/tree/{FIRST}")
        settings = lines[-1].replace(
            f"lab/tree/{FIRST}", "lab/api/settings/@jupyterlab/apputils-extension:notification"
        )
        with urllib.request.urlopen(settings, timeout=30) as answer:
            asked = json.load(answer)
    finally:
        server.terminate()
        server.wait(30)
    said = lines  # nbgrader, which is installed here, is for lecturers and silent
    assert re.fullmatch(rf"{place}: \d+ files added\.", said[0])
    assert said[1:3] == ["Image: demo is ready.", "JupyterLab: starting. To stop it, press Ctrl-C here, twice."]
    assert said[3] == "Open this in a browser:"
    assert re.fullmatch(rf"http://\S+/lab/tree/{FIRST}\?token=\w{{48}}", said[4])
    assert len(said) == 5
    assert "jupyter-config-data" in page
    assert re.search(r'"disabledExtensions": \[[^\]]*"@jupyter/nbgrader"', page)
    assert asked["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert not (tmp_path / "user/.jupyter/lab").exists()


def test_without_jupyterlab_start_says_how_to_install_it(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['jupyterlab'] = None; sys.path_importer_cache.clear()"
    run = f"{hide}; import importlib.util as u; u.find_spec = lambda name: None"
    code = f"{run}; from udock_lab.course import main; sys.exit(main(['start', sys.argv[1]]))"
    environment = settings_of_nobody(tmp_path)
    command = [sys.executable, "-c", code, str(tmp_path / "lab")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "udock-lab: JupyterLab is not installed here.\nInstall it: pip install udock-lab\n"
