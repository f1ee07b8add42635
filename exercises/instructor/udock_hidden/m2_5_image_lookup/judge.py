"""How the hidden requirements of M2.5 are judged."""

from __future__ import annotations

import builtins
import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_5_image_lookup.judge import ASK, UNTRACED
from udock_lab.grading.imagetables import a_path
from udock_lab.grading.scenario import apart, job
from udock_lab.grading.tables import a_word

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


# RLIMIT_DATA counts what a process has for itself (setrlimit(2)); a file that is mapped to be read does not count.
# There is room for a thread and its stack (8 MiB), not for the table (25 MB).
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
crossing = []
with open(db, "rb") as file:
    for offset in (1 << 20, 3_000_000):    # where pieces of any usual size end, a line of the table goes on
        file.seek(offset - 300)
        before, after = file.read(300).rpartition(b"\\n")[2], file.readline()
        crossing.append((before + after).decode().split("|")[:2])
__ask(__given("small", b"a|/b|c\\n"), "a")
with open("/proc/self/status") as file:
    data = int(re.search(r"VmData:\\s*(\\d+) kB", file.read())[1]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (data + (18 << 20), resource.RLIM_INFINITY))
before = resource.getrusage(resource.RUSAGE_SELF)
said = [__ask(db, one) for one, _ in [*crossing, (name, path)]]
after = resource.getrusage(resource.RUSAGE_SELF)
os.unlink(db)
wanted = [["str", one] for _, one in [*crossing, (name, path)]]
return [said == wanted, said, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime]
""",
)
# Modes hold for whoever has no capability to pass over them.
ERRORS = apart(
    "name",
    ASK
    + """
from udock_lab.linux.capabilities import drop_capabilities
os.mkdir("a folder")
os.mkdir("closed")
record = f"{name}|/images/1|2026-01-01T00:00:00\\n".encode()
inside, unreadable = __given("closed/images.db", record), __given("unreadable", record)
for one in ("closed", unreadable):
    os.chmod(one, 0)
drop_capabilities()
said = [__ask(one, name) for one in (f"{here}/a folder", unreadable, inside)]
os.chmod("closed", 0o755)
return said
""",
)
SECONDS = 3.0  # of processor time; a loop over lines takes a tenth of it


def judge(bench: Bench) -> None:
    """Judge 300,000 images, the wanted one last; then a folder, a closed file, a file in a closed folder."""
    name, path = a_word(10), f"{a_path()}-{random.randrange(1000)}"
    value = ev.seen_value(bench.play(LARGE, values=job(name=name, path=path), **UNTRACED))
    if isinstance(value, list) and value[0] is True and value[2] < SECONDS:
        bench.hold("large")
    else:
        bench.fail("large", expected=path, seen=str(value), go_on=True)
    said = ev.seen_value(bench.play(ERRORS, values=job(name=name), **UNTRACED))
    raised = said if isinstance(said, list) else []
    kinds = [words.partition(":")[0] for kind, words in raised if kind == "raised"]
    if len(kinds) == 3 and all(issubclass(getattr(builtins, kind, Exception), OSError) for kind in kinds):
        bench.hold("errors")
    else:
        bench.fail("errors", expected="OSError three times", seen=str(said))


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
