"""The C beside the Python of each lesson is a whole program: it compiles without a warning and finds what it claims."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TWINS = Path(__file__).resolve().parents[2] / "notebooks" / "c"
GCC = shutil.which("gcc")
# Some C libraries ask for every result of write to be looked at; twenty lines that teach fork do not.
FLAGS = ("-Wall", "-Wextra", "-Wno-unused-result", "-Werror", "-O2")
CLAIMS = {
    "m2_1a_fork": "child\nparent: the child ended with code 7\n",
    "m2_1b_exec_and_wait": "status 10752, code 42\n",
    "m2_2_chroot_permissions": "(/|only the working directory) is the folder\n",
    "m2_3_container_ids": "200 ids taken, the highest is c200\n",
    "m2_4_metadata": r"\d+ looks at the table, 0 of them torn\n",
    "m2_5_image_lookup": "the path names another directory now, the descriptor does not\n",
    "m2_6_exec_failure": "127 twice, and only once did execve fail\n",
    "m2_7_review": "",  # says how it is called; what it does is in test_m2_7_review.py
}


def test_every_twin_claims_something() -> None:
    assert sorted(CLAIMS) == sorted(path.stem for path in TWINS.glob("*.c"))


@pytest.mark.skipif(GCC is None, reason="needs privilege: a C compiler is installed by whoever may")
@pytest.mark.parametrize("slug", CLAIMS)
def test_the_c_twin_compiles_without_a_warning_and_finds_what_it_claims(slug: str, tmp_path: Path) -> None:
    program = tmp_path / slug
    subprocess.run([str(GCC), *FLAGS, "-o", str(program), str(TWINS / f"{slug}.c")], check=True)
    done = subprocess.run([str(program)], cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 0
    assert re.fullmatch(CLAIMS[slug], done.stdout)
