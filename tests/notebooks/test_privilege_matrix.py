"""Every lesson as root, as an ordinary user, and with chroot and user namespaces both refused: outputs still agree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
REPRESENTATIVE = next(slug for slug in LESSONS if slug.startswith("m2_"))
NOT_POSSIBLE = 77


def check(who: str, slug: str) -> None:
    """The lesson in a fresh kernel of that privilege, compared by nbval; nothing may be left behind."""
    command = [str(ROOT / "scripts/test-notebooks"), "--as", who, slug]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    if done.returncode == NOT_POSSIBLE:
        pytest.skip(f"needs privilege: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("who", ["root", "user", "refused"])
def test_one_lesson_says_the_same_with_every_privilege(who: str) -> None:
    check(who, REPRESENTATIVE)


@pytest.mark.soak
@pytest.mark.parametrize("who", ["root", "user", "refused"])
@pytest.mark.parametrize("slug", LESSONS)
def test_every_lesson_says_the_same_with_every_privilege(slug: str, who: str) -> None:
    check(who, slug)
