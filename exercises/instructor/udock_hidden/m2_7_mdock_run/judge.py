"""How the hidden requirements of M2.7 are judged."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.mdockstage import play

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


REFUSED = """
from udock_lab.linux.capabilities import drop_capabilities
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
__value__["table"] = __take(__table)
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
__value__["table"] = __take(__table)
__open_gate(0)
"""


def judge(bench: Bench) -> None:
    """Judge a runner without the right to chroot, images that cannot be entered; then a runner that is killed."""
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
    recorded = [(fields[2], fields[3], fields[6]) for fields in story.records("table")]
    images = [(story.image, code), ("gone", 125), ("file", 125)]
    if (
        seen == wanted
        and story.value.get("ran")
        and recorded == [(name, "exited", str(number)) for name, number in images]
    ):
        bench.hold("refused")
    else:
        bench.fail("refused", expected=str(wanted), seen=f"{story.said}, {recorded}", go_on=True)


def _others(bench: Bench, code: int) -> None:
    story = play(bench, OTHERS, code=code)
    table = story.value.get("table", "")
    found = story.records("table")
    ends = [(fields[3], fields[6]) for fields in found]
    wanted = [("running", ""), ("exited", str(code)), ("exited", str(code))]
    if ends == wanted and len({fields[0] for fields in found}) == 3 and table.startswith(story.history):
        bench.hold("others")
    else:
        bench.fail("others", expected="one record running, two complete", seen=table)


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
