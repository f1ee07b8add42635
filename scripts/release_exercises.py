"""Make what learners get from what lecturers write.

Use: ``release_exercises.py [--check] [SLUG...]``. nbgrader's own generate_assignment does it, in a temporary course,
so that no gradebook stays. The same source gives the same bytes. ``--check`` writes nothing and ends with 1 where a
committed release is stale.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from udock_lab.grading.nbgrader import configure

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lecturer_notes import README, readme

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "exercises"


def released(slugs: list[str]) -> dict[str, bytes]:
    """Return slug to the bytes of its release.

    Raises SystemExit, with nbgrader's words, where there is none.
    """
    with tempfile.TemporaryDirectory(prefix="udock-release-") as folder:
        course = Path(folder)
        config = Config()
        configure(config)
        config.CourseDirectory.root = folder
        nbgrader = NbGraderAPI(config=config)  # type: ignore[no-untyped-call]
        for slug in slugs:
            shutil.copytree(COURSE / "source" / slug, course / "source" / slug)
            done = nbgrader.generate_assignment(slug)  # type: ignore[no-untyped-call]
            if not done["success"]:
                raise SystemExit(f"nbgrader could not release {slug}:\n{done.get('log') or done.get('error')}")
        return {slug: _settled(course / "release" / slug / f"{slug}.ipynb") for slug in slugs}


def _settled(path: Path) -> bytes:
    """Return the notebook as JSON of one shape, without what tells of an execution."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def main() -> int:
    """Write the releases, or say which are stale."""
    words = sys.argv[1:]
    check = "--check" in words
    slugs = [word for word in words if word != "--check"] or sorted(p.name for p in (COURSE / "source").iterdir())
    stale = []
    for slug, data in released(slugs).items():
        path = COURSE / "release" / slug / f"{slug}.ipynb"
        if path.is_file() and path.read_bytes() == data:
            continue
        stale.append(slug)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            print(f"released {slug}")
    notes = readme(sorted(path.name for path in (COURSE / "source").iterdir()))
    if notes != README.read_text():
        stale.append("README.md")
        if not check:
            README.write_text(notes)
            print("wrote exercises/README.md")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run scripts/release-exercises", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
