"""No test sets what users don't have, unless the list says why: each way to set something is found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_test_settings import complaints, of_python, of_shell  # noqa: E402


def names(text: str) -> list[str]:
    return [name for _, name in of_python(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("monkeypatch.setenv('MDOCK_LOG_LIMIT', '1')", "MDOCK_LOG_LIMIT"),
        ("MARK = 'OURS'\nmonkeypatch.setenv(MARK, '1')", "OURS"),
        ("for name in many: monkeypatch.setenv(name, '1')", "name?"),
        ("os.environ['ANY'] = '1'", "ANY"),
        ("os.environ |= {'ANY': '1'}", "ANY"),
        ("os.environ.update({'ANY': '1'})", "ANY"),
        ("os.environ.setdefault('ANY', '1')", "ANY"),
        ("os.putenv('ANY', '1')", "ANY"),
        ("patch.dict(os.environ, {'ANY': '1'})", "ANY"),
        ("subprocess.run(words, env={'ANY': '1'})", "ANY"),
        ("subprocess.run(words, env=os.environ | {'ANY': '1'})", "ANY"),
        ("subprocess.run(words, env={**os.environ, 'ANY': '1'})", "ANY"),
        ("manager.start_kernel(env=os.environ | {'ANY': '1'})", "ANY"),
        ("env = {'ANY': '1'}", "ANY"),
        ("self.env['ANY'] = '1'", "ANY"),
        ("env = clean | ({'ANY': '1'} if x else {})", "ANY"),
        ("env = os.environ | {name: '1' for name in many}", "name?"),
        ("more = {'MDOCK_HOME': '/x'}", "MDOCK_HOME"),
        ("start('lab', MDOCK_HOME='/x')", "MDOCK_HOME"),
        ("dict(os.environ, ANY='1')", "ANY"),
        ('kernel.run(\'import os; os.environ["ANY"] = "1"\')', "ANY"),
        ("kernel.run('%env MDOCK_HOME=/x')", "MDOCK_HOME"),
        ("subprocess.run(['sh', '-c', 'MDOCK_HOME=/x mdock ps'])", "MDOCK_HOME"),
        ("words = ['--ServerApp.port_retries=0']", "--ServerApp.port_retries"),
        ("words = [f'--port={port}']", "--port"),
        ("words = [sys.executable, '-X', 'dev', 'x.py']", "python -X"),
        ("(folder / 'page_config.json').write_text(off)", "page_config.json"),
        ("manager.start_kernel(extra_arguments=['--debug'])", "extra_arguments"),
        ("KernelManager(kernel_name='other')", "kernel other"),
        ("manager.kernel_cmd = words", "kernel_cmd"),
        ("monkeypatch.setattr(module, 'PATIENCE', 1)", "module.PATIENCE"),
        ("monkeypatch.setattr('package.module.PATIENCE', 1)", "package.module.PATIENCE"),
    ],
)
def test_each_way_to_set_something_is_found(text: str, name: str) -> None:
    assert name in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "runtime.run('demo', argv, env={'A': '1', 'VALUE': 'x'})",  # a container's
        "assert 'export MDOCK_HOME=' in result.stderr",
        "assert os.environ['MDOCK_HOME'] == home",
        "users = {name: value for name, value in os.environ.items() if name != 'MDOCK_HOME'}",
        "del os.environ['MDOCK_HOME']",
        "KernelManager(kernel_name='python3')",
        "subprocess.run([sys.executable, '-m', 'udock_lab.cli', '-h'])",
    ],
)
def test_what_sets_nothing_is_not_complained_about(text: str) -> None:
    assert names(text) == []


def test_a_shell_script_exports_and_sets_for_one_command() -> None:
    text = 'set -e\nlocal_name=1\nexport A1=1 B2="$x"\nC3=1 mdock ps\nexport "$name=x"\njupyter lab --port=1\nif true; then D4=1 x; fi\n'
    assert [name for _, name in of_shell(text)] == ["A1", "B2", "C3", '"$name?', "D4", "--port"]


def test_what_is_not_listed_what_is_stale_and_what_has_no_reason_is_said(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("import os\nos.environ['ONE'] = os.environ['TWO'] = '1'\n")
    listed = tmp_path / "list.toml"
    listed.write_text(
        '[[set]]\nname = "ONE"\nin = ["tests/test_it.py"]\nwhy = " "\n'
        '[[set]]\nname = "THREE"\nin = ["tests/test_it.py"]\nwhy = "so"\n'
    )
    assert complaints(tmp_path, listed) == [
        "tests/test_it.py:2: sets TWO",
        "list.toml: tests/test_it.py does not set THREE any more",
        "list.toml: ONE has no reason",
    ]


def test_the_tests_of_this_project_keep_the_rule() -> None:
    assert complaints(ROOT, ROOT / "scripts" / "test_settings.toml") == []
