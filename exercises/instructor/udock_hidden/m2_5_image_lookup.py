"""Hidden requirements of M2.5. For lecturers; never handed out."""

from __future__ import annotations

import builtins
import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.exercises.m2_5_image_lookup import ASK, UNTRACED, a_path, a_word
from udock_lab.grading.scenario import apart, job
from udock_lab.model import Requirement

__all__ = ["HIDDEN"]

REQUIREMENTS = (
    Requirement(
        key="large",
        name="a large database is searched in little time and little memory",
        points=1,
        lesson='m2_5_image_lookup, "What a search costs"',
    ),
    Requirement(
        key="errors",
        name="a database that is there and cannot be read is an error (OSError), not None",
        points=1,
        lesson='m2_5_image_lookup, "The same in mdock: five answers"',
    ),
)

# RLIMIT_DATA counts what a process has for itself (setrlimit(2)); a file that is mapped to be read does not count.
LARGE = apart(
    "name, path",
    ASK
    + """
import re, resource
db = f"{here}/images.db"
with open(db, "wb") as file:
    for start in range(0, 300_000, 10_000):
        file.write(b"".join(b"image-%d|/images/%d/rootfs-of-an-image-with-a-long-path|2026-01-01T00:00:00\\n" % (n, n)
                            for n in range(start, start + 10_000)))
    file.write(f"{name}|{path}|2026-01-01T00:00:00\\n".encode())
__ask(__given("small", b"a|/b|c\\n"), "a")
with open("/proc/self/status") as file:
    data = int(re.search(r"VmData:\\s*(\\d+) kB", file.read())[1]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (data + (10 << 20), resource.RLIM_INFINITY))
before = resource.getrusage(resource.RUSAGE_SELF)
said = __ask(db, name)
after = resource.getrusage(resource.RUSAGE_SELF)
os.unlink(db)
return [said, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime]
""",
)
ERRORS = apart(
    "",
    ASK
    + """
os.mkdir("folder")
os.symlink("loop", "loop")
return [__ask(f"{here}/{name}", "demo") for name in ("folder", "loop", "x" * 300)]
""",
)
SECONDS = 3.0  # of processor time; a loop over lines takes a tenth of it


def judge(bench: Bench) -> None:
    """300,000 images, the wanted one last; then three paths that open refuses, none of them with ENOENT."""
    name, path = a_word(10), f"{a_path()}-{random.randrange(1000)}"
    value = ev.seen_value(bench.play(LARGE, values=job(name=name, path=path), **UNTRACED))
    if isinstance(value, list) and value[0] == ["str", path] and value[1] < SECONDS:
        bench.hold("large")
    else:
        bench.fail("large", expected=path, seen=str(value), go_on=True)
    said = ev.seen_value(bench.play(ERRORS, values=job(), **UNTRACED))
    raised = said if isinstance(said, list) else []
    kinds = [words.partition(":")[0] for kind, words in raised if kind == "raised"]
    if len(kinds) == 3 and all(issubclass(getattr(builtins, kind, Exception), OSError) for kind in kinds):
        bench.hold("errors")
    else:
        bench.fail("errors", expected="OSError three times", seen=str(said))


HIDDEN = Exercise(
    slug="m2_5_image_lookup",
    title="find_image_by_name(db, name): what is judged when you hand in",
    functions=("find_image_by_name",),
    requirements=REQUIREMENTS,
    judge=judge,
)
