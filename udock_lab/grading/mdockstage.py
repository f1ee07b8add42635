"""The stage of exercise m2_7: a home with images and a history, runners that are watched, programs that wait.

The texts below run inside the sandbox, around the learner's ``run``. What it does happens in workers, children of
the scenario's process; what the kernel knows of a program is asked from there while it waits in front of a pipe.
"""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.tables import a_zone
from udock_lab.model import SandboxResult

__all__ = ["MAIN", "STAGE", "TEN", "Played", "play"]

# A home with images, a record table with a history, and root file systems in which a shell really starts.
STAGE = """
import json, os, shutil, signal, sys, time
from udock_lab.grading.inside import high as __high, may_chroot as __may_chroot
from udock_lab.linux.elf import inspect_elf, libraries
from udock_lab.linux.load import crowd as __crowd
from udock_lab.linux.process import parent as __parent
home = os.path.abspath("home")
__table = f"{home}/containers.db"

def __put(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode("latin-1"))
    os.chmod(path, mode)

def __take(path):
    "A byte a character."
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1")
    except OSError:
        return ""

def __rootfs(name, twin=""):
    root = f"{home}/images/{name}/rootfs"
    elf = inspect_elf("/bin/sh")
    loader = [elf.interpreter] if elf and elf.interpreter else []
    for path in ["/bin/sh", *loader, *(path for _, path in libraries("/bin/sh").found)]:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        if twin and not os.path.exists(root + path):
            os.link(twin + path, root + path)
        elif not twin:
            shutil.copy(os.path.realpath(path), root + path)
    return root

def __open(path, flags):
    "Far from the numbers that the learner's descriptors get."
    return __high(os.open(path, flags, 0o644))

def __work(name, image, argv, watch=None):
    "A worker calls run and says what came of it; a copy of the worker that comes out of run says so too."
    worker = os.fork()
    if worker:
        return worker
    forks, me = [], os.getpid()
    said = __open(f"said-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)    # now: a copy may be in another root
    def count():
        if os.getpid() == me:
            forks.append(1)
    os.register_at_fork(before=count)
    if watch:
        watch(me, forks)
    try:
        made = run(home, image, argv)
        words = [type(made).__name__, list(made) if isinstance(made, tuple) else repr(made)]
    except BaseException as error:
        kind = "LookupError" if isinstance(error, LookupError) else type(error).__name__
        words = ["raised", kind, str(error.args[0] if error.args and kind == "LookupError" else error)]
    try:
        os.write(said, (json.dumps([os.getpid() == me, len(forks), *words]) + "\\n").encode())
    finally:
        os._exit(0)

def __until(holds, seconds):
    "On a busy machine all takes longer, by as many processes as wait for a processor."
    end = time.monotonic() + seconds * __crowd(6)
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.005)
    return False

def __gone(worker):
    return os.waitid(os.P_PID, worker, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

def __finish(worker, seconds=4):
    "False if it had to be killed."
    there = __until(lambda: __gone(worker), seconds)
    if not there:
        os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    return there

def __open_gate(code):
    os.write(__gate, f"{code}\\n".encode())

for __folder in ("images", "run"):
    os.makedirs(f"{home}/{__folder}", exist_ok=True)
__root = __rootfs(image)
__other = __rootfs(image + "2", __root)
__rows = [(image[:-1], __other), (image + "2", __other), (image.upper(), __other), (image, __root), (image, __other)]
__put(f"{home}/images.db", f"{image}|half a line\\n{image}|{__other}|2024-03-01T10:00:00|more\\n"
      + "".join(f"{n}|{p}|2024-03-01T10:00:00\\n" for n, p in __rows))
__put(__table, history)
os.mkfifo(f"{__root}/gate")
__gate = __open(f"{__root}/gate", os.O_RDWR)     # both ways (fifo(7)): opening it waits for nobody
__put(f"{__root}/etc/passwd", "root:x:0:0::/:/bin/sh\\n")
__odd = {"garbage": "\\x01\\x02", "script": "#!/no/such/interpreter\\n"}
for __name, __text in __odd.items():             # one path, in the image and outside it: chroot may be refused
    for __within in ("", __root):
        __put(f"{__within}{os.path.abspath(__name)}", __text, 0o755)
for __name in ("HOME", "LANG", "LOGNAME", "SHELL", "TERM", "UDOCK_TOKEN", "USER"):
    os.environ[__name] = token
os.environ["TZ"] = zone
time.tzset()
"""
GATED = "echo $$ > started; read code < gate; exit $code"
# One program after another, the first of them held at a gate while questions are asked.
MAIN = """
__OPENERS = {"write", "writev", "send", "sendall", "eventfd_write", "kill"}

def __waits(pid):
    "In the kernel, for another process: in a pipe or whatever else the learner took for a gate."
    where = __take(f"/proc/{pid}/wchan")
    return any(word in where for word in ("pipe", "eventfd", "unix", "skb", "signal_stop", "lock_inode"))

def __watch(me, forks):
    '''The parent waits at its first open after the fork, until the child waits at its gate or the program begins.
    When it may have opened the gate, it waits for the program: what is not on disk then was not written before it.
    Before each call that may take the table away or put another in its place: is it there, is the new one whole?'''
    waited, looking, opened = [], [], []
    torn = __open("torn", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def begun():
        children = __take(f"/proc/self/task/{me}/children").split()
        return os.path.exists(f"{__root}/started") or any(map(__waits, children))
    def let_the_program_go_first(frame, event, function):
        if event != "c_return" or not forks or os.getpid() != me or function.__name__ not in __OPENERS:
            return
        if type(getattr(function, "__self__", None)).__name__ not in ("module", "socket"):
            return
        opened.append(1)
        if __until(lambda: os.path.exists(f"{__root}/started"), 0.15):
            __until(lambda: os.path.exists("looked"), 3)
            sys.setprofile(None)
        elif len(opened) == 3:
            sys.setprofile(None)
    def hold_back(arguments):
        if not waited and home in str(arguments[0]):
            waited.append(1)
            __until(begun, 1.0)
            if os.path.exists(f"{__root}/started"):   # it was not held back: let that be seen
                __until(lambda: os.path.exists("looked"), 3)
    def look(event, arguments):
        if not os.path.exists(__table):
            os.write(torn, b"there was no table for a moment\\n")
        if event == "os.rename" and os.path.basename(os.fsdecode(arguments[1])) == "containers.db":
            folder = f"/proc/self/fd/{arguments[2]}" if arguments[2] >= 0 else os.getcwd()
            new = __take(os.path.join(folder, os.fsdecode(arguments[0])))
            if not new.startswith(history):
                os.write(torn, b"the new table was put in place with %d bytes in it\\n" % len(new))
    def audit(event, arguments):
        if forks and not looking and os.getpid() == me and event in ("open", "os.rename", "os.remove", "os.link"):
            looking.append(1)
            if event == "open":
                hold_back(arguments)
            look(event, arguments)
            looking.clear()
    sys.addaudithook(audit)
    sys.setprofile(let_the_program_go_first)

def __where(link):
    try:
        found = os.stat(link)
    except OSError as error:
        return str(error)
    for name, path in (("the image", __root), ("another image", __other), ("the host's /", "/")):
        there = os.stat(path)
        if (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino):
            return name
    try:
        return os.readlink(link)
    except OSError as error:
        return str(error)

def __link(pid, fd):
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except FileNotFoundError:
        return ""                                 # it was open in passing

def __more(pid):
    "Descriptors beyond 0, 1 and 2. From 10 on a shell keeps copies of its own first three."
    own = {__link("self", fd) for fd in (0, 1, 2)} | {"/dev/null"}
    fds = map(int, os.listdir(f"/proc/{pid}/fd"))
    return {fd for fd in fds if fd > 2 and not (fd >= 10 and __link(pid, fd) in own)}

def __look(pid):
    "What the kernel says of the waiting program."
    more = __more(pid)
    for _ in range(3):                            # what it opens in passing is not there each time
        time.sleep(0.02)
        more &= __more(pid)
    return {"root": __where(f"/proc/{pid}/root"), "cwd": __where(f"/proc/{pid}/cwd"), "fds": sorted(more),
            "variables": __take(f"/proc/{pid}/environ").split("\\0")[:-1],
            "words": __take(f"/proc/{pid}/cmdline").split("\\0")[:-1], "parent": __parent(pid)}

def __another_runs(pid):
    "Meanwhile somebody else begins: a record whose id has one digit more. Whole seconds pass, too."
    own = [line.partition("|")[0] for line in __take(__table).split("\\n") if line.split("|")[1:2] == [pid]]
    line = f"{own[0] if own else 'c1'}0|{4000}|{image}|running|2024-03-01T10:00:02||\\n"
    with open(__table, "ab") as file:
        file.write(line.encode())
    time.sleep(1.05 - time.time() % 1)            # time(2), as strftime asks it, is some milliseconds behind
    return line

def __story():
    yield "may chroot", __may_chroot()
    worker = __work("missing", image + "23", ["/bin/sh"])
    yield "missing came back", __finish(worker)
    yield "after missing", __take(__table)
    worker = __work("gated", image, ["/bin/sh", "-c", gated], __watch)
    __until(lambda: __take(f"{__root}/started").endswith("\\n") or __gone(worker), 4)
    yield "while it runs", __take(__table)
    pid = __take(f"{__root}/started").strip()
    yield "pid", pid
    if pid:
        yield "worker", worker
        yield "kernel", __look(int(pid))
    elif os.path.exists(f"{__other}/started"):
        yield "began", "in another image"
    elif os.path.exists("started"):
        yield "began", "in the caller's working directory"
    os.close(__open("looked", os.O_CREAT))
    if pid:
        yield "another", __another_runs(pid)
    reader = __open(__table, os.O_RDONLY)
    size = os.fstat(reader).st_size
    before = os.pread(reader, size, 0)
    __open_gate(code)
    came_back = __finish(worker)
    yield "gated came back", came_back
    yield "in place", os.pread(reader, size + 4096, 0) != before
    yield "after gated", __take(__table)
    for name, argv in [*others, *((name, [os.path.abspath(name)]) for name in __odd)]:
        if not came_back:
            break
        came_back = __finish(__work(name, image, argv))
        yield f"{name} came back", came_back
        yield f"after {name}", __take(__table)
        yield f"pid of {name}", __take(f"{__root}/pid-{name}").strip()

__value__ = {}
for __key, __said in __story():
    __value__[__key] = __said
"""
# The process that forks the ten has called run before: what an answer keeps from that call, all ten have.
TEN = """
run(home, image, ["/bin/sh", "-c", "exit 2"])
__ready, __go = os.pipe()
def __at_once(me, forks):
    "Each open, rename and removal takes a moment longer, so that whoever may be overtaken is."
    def pause(event, arguments):
        if event in ("open", "os.rename", "os.remove") and home in str(arguments[0]):
            time.sleep(0.02 if event == "os.rename" else 0.01)
    sys.addaudithook(pause)
    os.close(__go)
    os.read(__ready, 1)
    os.close(__ready)
    time.sleep(0.03 * max(0, len(__workers) - 4))      # five together, five while those are at work

__workers = []
__programs = [(f"many-{code}", ["/bin/sh", "-c", f"echo $$ > pid-{code}; exit {code}"]) for code in range(3, 13)]
for __name, __argv in __programs:
    __workers.append(__work(__name, image, __argv, __at_once))
os.close(__ready)
os.close(__go)
__back = [__finish(worker, 10) for worker in __workers]
__value__ = {"all came back": all(__back), "table": __take(__table),
             "pids": {str(code): __take(f"{__root}/pid-{code}").strip() for code in range(3, 13)}}
"""
TIMEOUT = 40.0  # seconds; a run takes some hundredths of one


class Played(NamedTuple):
    """What a scenario brought home: ``value`` by the names that the stories use, ``said`` by each worker."""

    result: SandboxResult
    value: dict[str, Any]
    said: dict[str, list[list[Any]]]
    image: str
    history: str
    highest: int
    token: str
    zone: int

    def own(self, when: str) -> list[list[str]]:
        """Return the fields of each new line that nobody else wrote, in the order of the file."""
        others = {*self.history.split("\n"), *self.value.get("another", "").split("\n")}
        return [line.split("|") for line in self.value.get(when, "").split("\n") if line not in others]

    def records(self, when: str) -> list[list[str]]:
        """Return those with seven fields, without what became of another container's record."""
        others = {tuple(field.strip() for field in line.split("|")[:2]) for line in self.history.split("\n")}
        return [fields for fields in self.own(when) if len(fields) == 7 and tuple(fields[:2]) not in others]


def play(bench: Bench, story: str, **values: object) -> Played:
    """Play one home, one story; return each worker's lines.

    A line: [is it the worker itself?, forks, type or "raised", value...].
    """
    image = f"img{random.randrange(100, 1000)}"
    highest = random.randrange(100, 890)
    history, token = _history(image, highest), f"callers{random.randrange(10**6)}"
    zone, east = a_zone(summer_time=False)
    given = {"image": image, "history": history, "gated": GATED, "token": token, "zone": zone, **values}
    result = bench.play(STAGE + story, values=given, timeout=TIMEOUT)
    said = {
        name.removeprefix("said-"): [json.loads(line) for line in text.decode(errors="replace").splitlines()]
        for name, text in result.files.items()
        if name.startswith("said-")
    }
    value = ev.seen_value(result)
    return Played(result, value if isinstance(value, dict) else {}, said, image, history, highest, token, east)


def _history(image: str, highest: int) -> str:
    """Return a table, a byte a character, that holds every trap at once.

    Ids are out of order, string order gets one number wrong, and lines that are no records have higher ids that begin
    like the next one. Somebody else's container of the same image is running.
    """
    end = "2024-03-01T10:00:01"
    lines = [
        f"c9|4009|other|exited|2024-03-01T10:00:00|{end}|0",
        "half a line|",
        f"c{highest + 1}70|77|torn",
        f"c{highest}|4077|other|exited|2024-03-01T10:00:00|{end}|0",
        "",
        f"c{highest + 1}80|78|other|exited|2024-03-01T10:00:00|{end}|0|more",
        "\xff\xfe no text, and no \r end of a line \x0c|",
        "c7 | 77 | other | exited | then | later | 1",
        f"c2|4002|{image}|running|2024-03-01T10:00:00||",
    ]
    return "\n".join(lines) + "\n"
