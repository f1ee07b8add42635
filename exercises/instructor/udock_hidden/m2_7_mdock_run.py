"""Hidden requirements of M2.7. For lecturers; never handed out."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.exercises.m2_7_mdock_run import play
from udock_lab.model import Record, Requirement, Status
from udock_lab.runtime.containers import parse_record

__all__ = ["HIDDEN"]

REQUIREMENTS = (
    Requirement(
        key="refused",
        name="chroot refused with EPERM: the program runs in the folder; rootfs cannot be entered: code 125 and errno",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
    ),
    Requirement(
        key="others",
        name="while one program runs others can be run, and kill -9 of its runner changes nobody else's record",
        points=1,
        lesson='m2_4_metadata, "What survives what"',
    ),
)

REFUSED = """
from udock_lab.linux.syscalls import drop_capabilities
def __powerless(me, forks):
    drop_capabilities()

__rows += [("gone", home + "/images/gone"), ("file", home + "/images.db")]
__put(f"{home}/images.db", "".join(f"{n}|{p}|2024-03-01T10:00:00\\n" for n, p in __rows))
__value__ = {}
__put(f"{__root}/here", f"{code}\\n")              # the program finds its exit code in the image
__argv = ["/bin/sh", "-c", "echo > ran; read only < here && exit $only"]
for __name, __image, __slow in (("powerless", image, __powerless), ("gone", "gone", None), ("file", "file", None)):
    __value__[f"{__name} came back"] = __finish(__work(__name, __image, __argv, __slow))
__value__["ran"] = bool(__take(f"{__root}/ran"))
__value__["table"] = __take(f"{home}/containers.db")
"""
OTHERS = """
__value__ = {}
__first_worker = __work("held", image, ["/bin/sh", "-c", gated])
__until(lambda: __take(f"{__root}/started").endswith("\\n") or __gone(__first_worker), 4)
__worker = __work("beside", image, ["/bin/sh", "-c", f"exit {code}"])
__value__["beside came back"] = __finish(__worker)
os.kill(__first_worker, signal.SIGKILL)
os.waitpid(__first_worker, 0)
__worker = __work("later", image, ["/bin/sh", "-c", f"exit {code}"])
__value__["later came back"] = __finish(__worker)
__value__["table"] = __take(f"{home}/containers.db")
__open_gate(0)
"""


def judge(bench: Bench) -> None:
    """A runner without the right to chroot, images that cannot be entered; then a runner that is killed."""
    code = random.randrange(3, 120)
    _refused(bench, code)
    _others(bench, code)


def _refused(bench: Bench, code: int) -> None:
    story = play(bench, REFUSED, code=code)
    wanted = {
        "powerless": [code, None, None],
        "gone": [125, None, errno.ENOENT],
        "file": [125, None, errno.ENOTDIR],
    }
    seen = {name: lines[0][3] for name, lines in story.said.items() if len(lines) == 1 and lines[0][2] == "ExitInfo"}
    if seen == wanted and story.value.get("ran"):
        bench.hold("refused")
    else:
        bench.fail("refused", expected=str(wanted), seen=str(story.said), go_on=True)


def _others(bench: Bench, code: int) -> None:
    story = play(bench, OTHERS, code=code)
    table = story.value.get("table", "")
    found = _new(table, story.history)
    ends = [(record.status, record.exit_code) for record in found]
    wanted = [(Status.RUNNING, None), (Status.EXITED, code), (Status.EXITED, code)]
    if ends == wanted and len({record.id for record in found}) == 3 and table.startswith(story.history):
        bench.hold("others")
    else:
        bench.fail("others", expected="one record running, two complete", seen=table)


def _new(table: str, history: str) -> list[Record]:
    lines = [line for line in table.splitlines() if line not in history.splitlines()]
    return [record for line in lines if (record := parse_record(line.encode()))]


HIDDEN = Exercise(
    slug="m2_7_mdock_run",
    title="run(home, image, argv): what is judged when you hand in",
    functions=("run",),
    requirements=REQUIREMENTS,
    judge=judge,
)
