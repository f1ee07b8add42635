"""Where the machine refuses walls: what a hostile submission cannot do there, and that the report says what it could.

Rung D is a container's root, E an ordinary user; each with Landlock and without. What the tests put in danger is real:
a home, a course with its hidden half and its solution, a copy of the checker, a server, the processes of the grader.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "privileged"))

import rungs  # noqa: E402

D, E = ["refuse=unshare"], ["nobody", "refuse=unshare"]
WITHOUT_LANDLOCK = ["refuse=landlock"]
SECRET = "the-secret-of-4711"

# Stands on the rung, lays out what is in danger, judges one submission, looks at what is left of it.
ON_A_RUNG = """
import json, os, socket, sys, tempfile
from pathlib import Path
from udock_lab import sandbox
from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge
from udock_lab.grading.sources import exercise
from udock_lab.sandbox.removal import SHARED

sandbox.run("pass")                                   # the launcher is there before and after
place = Path(tempfile.mkdtemp(prefix="udock-danger-"))
place.chmod(0o755)
secret = {secret!r}
layout = {{"home/.ssh/id": 0o600, "home/notes": 0o644, "course/source/solution.py": 0o644,
          "course/instructor/hidden.py": 0o644, "checker/judge.py": 0o644}}
for name, mode in layout.items():
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(secret)
    (place / name).chmod(mode)
(place / "home").chmod(0o700)

def everything():
    return {{str(path): (path.lstat().st_mode, path.read_text() if path.is_file() else "")
            for path in sorted(place.rglob("*"))}}

before = everything()
with socket.create_server(("127.0.0.1", 0)) as server:
    server.setblocking(False)
    source = {source!r}.replace("@place@", str(place)).replace("@port@", str(server.getsockname()[1]))
    source = source.replace("@grader@", str(os.getpid()))
    report = judge(exercise("m2_1_process_creation"), Submission(source=source))
    result = sandbox.run(source + "\\nlaunch(['/bin/true'])", shut=True)
    try:
        server.accept()
        called = True
    except BlockingIOError:
        called = False
after = everything()
got = [line.removeprefix("GOT ") for line in result.stdout.splitlines() if line.startswith("GOT ")]
print(json.dumps({{
    "points": report.points, "notes": report.notes, "text": check_text(report), "got": got, "called": called,
    "changed": sorted(name for name in before if before[name] != after.get(name)), "new": sorted(set(after) - set(before)),
    "litter": [f"{{folder}}/{{name}}" for folder in SHARED if os.path.isdir(folder) for name in os.listdir(folder)
               if name.startswith("udock-litter-")],
    "identity": result.identity, "guard": result.guard, "missing": result.missing_isolation, "files": sorted(result.files),
    "stderr": result.stderr, "verdict": result.verdict,
}}))
for path in sorted(place.rglob("*"), reverse=True):
    path.chmod(0o700) if path.is_dir() else None
import shutil
shutil.rmtree(place)
"""
IN_THE_WAY = """
import os, shutil, signal, socket, sys
from udock_lab.grading import ExitInfo

PLACE = "@place@"
NAMES = ("home/.ssh/id", "home/notes", "course/source/solution.py", "course/instructor/hidden.py", "checker/judge.py")

def attempt(what, *arguments):
    try:
        return what(*arguments)
    except OSError:
        return None
"""
READS = (
    IN_THE_WAY
    + """
def read(path):
    with open(path) as file:
        return file.read()

def launch(argv):
    for name in NAMES:
        os.symlink(f"{PLACE}/{name}", name.replace("/", "-"))
        attempt(os.link, f"{PLACE}/{name}", "hard-" + name.replace("/", "-"))
        if attempt(read, f"{PLACE}/{name}") or attempt(read, name.replace("/", "-")):
            print("GOT", name)
    for pid in ("@grader@", str(os.getppid())):
        for what in ("environ", "maps", "mem", "root/etc/passwd", "cwd/."):
            if attempt(read, f"/proc/{pid}/{what}"):
                print("GOT", what)
    return ExitInfo(code=42)
"""
)
DESTROYS = (
    IN_THE_WAY
    + """
def overwrite(path):
    with open(path, "w") as file:
        file.write("raise SystemExit")

def call(port):
    socket.create_connection(("127.0.0.1", port), 1).send(b"all of them")

def launch(argv):
    for name in NAMES:
        for what in (overwrite, os.unlink, lambda path: os.truncate(path, 0), lambda path: os.rename(path, "mine")):
            attempt(what, f"{PLACE}/{name}")
    for name in ("home", "course", "checker"):
        attempt(os.rename, f"{PLACE}/{name}", "mine")
        shutil.rmtree(f"{PLACE}/{name}", ignore_errors=True)
        attempt(overwrite, f"{PLACE}/{name}/owned")
    attempt(overwrite, f"{PLACE}/owned")
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        attempt(overwrite, f"{folder}/udock-litter-{os.getpid()}")
    attempt(call, @port@)
    for pid in (@grader@, os.getppid(), 1, -1):
        if attempt(os.kill, pid, 0 if pid == -1 else signal.SIGKILL):
            print("killed", pid)
    return ExitInfo(code=42)
"""
)
MODES = (
    IN_THE_WAY
    + "def launch(argv):\n    attempt(os.chmod, f'{PLACE}/home/notes', 0o755)\n    return ExitInfo(code=42)\n"
)


def attacked(words: list[str], source: str) -> dict[str, Any]:
    """What is left, and what was said; the rung's own process must have lived to tell."""
    done = rungs.run(words, ON_A_RUNG.format(source=source, secret=SECRET), timeout=100)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def needs(seen: dict[str, Any], *, landlock: bool, root: bool) -> None:
    """Skip where this machine itself stands lower than the rung that was to be stood on."""
    if landlock and any("no Landlock" in wall for wall in seen["missing"]):
        pytest.skip("needs privilege: no Landlock for files here (Linux 6.2)")
    if root and not seen["identity"].startswith("user "):
        pytest.skip("needs privilege: only root becomes another user")


@pytest.mark.parametrize("words", [D, E], ids=["D", "E"])
def test_landlock_keeps_a_submission_from_every_file_but_its_own(words: list[str]) -> None:
    read = attacked(words, READS)
    needs(read, landlock=True, root=words is D)
    assert (read["got"], read["points"]) == ([], 0.0)
    assert SECRET not in read["text"]
    destroyed = attacked(words, DESTROYS)
    assert (destroyed["changed"], destroyed["new"], destroyed["points"]) == ([], [], 0.0)
    assert not destroyed["called"]
    assert (destroyed["litter"], destroyed["guard"]) == ([], "landlock")


def test_root_of_a_container_is_not_who_the_code_runs_as_without_landlock_either() -> None:
    read = attacked([*D, *WITHOUT_LANDLOCK], READS)
    needs(read, landlock=False, root=True)
    assert read["got"] == ["course/source/solution.py", "course/instructor/hidden.py", "checker/judge.py"], (
        "open to everybody; the home is not, nor is what root's processes keep"
    )
    destroyed = attacked([*D, *WITHOUT_LANDLOCK], DESTROYS)
    assert (destroyed["changed"], destroyed["new"], destroyed["points"]) == ([], [], 0.0)
    assert destroyed["litter"] == []
    assert destroyed["guard"] == "seccomp"


def test_another_user_alone_holds_signals_where_nothing_else_does() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs privilege: only root becomes another user")  # and without one the signals would hit us
    destroyed = attacked(["refuse=unshare,landlock,seccomp"], DESTROYS)
    needs(destroyed, landlock=False, root=True)
    assert (destroyed["changed"], destroyed["new"], destroyed["guard"]) == ([], [], "user")
    assert "the sandbox held it inside" in destroyed["verdict"]


def test_report_says_what_is_missing_and_what_the_code_could_therefore_do() -> None:
    own, moded = attacked([*E, *WITHOUT_LANDLOCK], READS), attacked(E, MODES)
    needs(moded, landlock=True, root=False)
    assert "course/instructor/hidden.py" in own["got"]
    assert "it could read and change all that you can" in own["text"]
    assert [Path(name).name for name in moded["changed"]] == ["notes"]
    assert "owners, modes and times of your files" in moded["text"]
    open_to_all = attacked([*D, *WITHOUT_LANDLOCK], READS)
    needs(open_to_all, landlock=False, root=True)
    assert "course/instructor/hidden.py" in open_to_all["got"]
    assert "it could read what everybody here may read" in open_to_all["text"]


LAZY = """
import os, decimal, multiprocessing, sqlite3, asyncio, json.tool, encodings.idna, udock_lab.linux.elf
print(os.getuid() == os.geteuid() != 0, os.getgroups())
os.mkdir("inside")
os.chroot("inside")
print(os.listdir("/"))
print(multiprocessing.Process.__init__.__code__.co_filename.startswith(os.path.dirname(os.__file__)))
try: os.setuid(0)
except PermissionError as error: print(error.strerror)
"""


@pytest.mark.parametrize("words", [D, [*D, *WITHOUT_LANDLOCK], [*D, "refuse=ptrace"]], ids="-".join)
def test_another_user_imports_as_before_and_regains_chroot_and_nothing_else(words: list[str]) -> None:
    """Also where root installed this Python in a home that is closed to others."""
    code = (
        f"from udock_lab import sandbox\nr = sandbox.run({LAZY!r}, shut=True)\nprint(r.stdout + r.stderr, r.identity)"
    )
    done = rungs.run(words, code)
    if "user 2" not in done.stdout:
        pytest.skip("needs privilege: only root becomes another user")
    assert done.stdout.splitlines()[:3] == ["True []", "[]", "True"], done.stdout + done.stderr


def test_two_sandboxes_are_two_users_and_neither_sees_the_other_s_scratch_folder() -> None:
    ask = "import os\nprint(os.getuid(), oct(os.stat('.').st_mode & 0o777), os.stat('.').st_uid)"
    code = f"from udock_lab import sandbox\nfor _ in range(2): print(sandbox.run({ask!r}, shut=True).stdout, end='')"
    done = rungs.run(D, code)
    rows = [line.split() for line in done.stdout.splitlines()]
    if "0" in rows[0] or os.geteuid() != 0:
        pytest.skip("needs privilege: only root becomes another user")
    assert [(mode, owner) for _, mode, owner in rows] == [("0o700", uid) for uid, _, _ in rows]
    assert len({uid for uid, _, _ in rows}) == 2


IPC = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
made = [libc.shmget(0x5d0c0 + n, 1 << 20, 0o1600) for n in range(20)]
made += [libc.semget(0x5d0c0, 3, 0o1600), libc.msgget(0x5d0c0, 0o1600)]
print(min(made) >= 0)
queue = libc.mq_open(b"/udock-hostile", os.O_CREAT | os.O_RDWR, 0o600, None)
print(queue, os.strerror(ctypes.get_errno()))
for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_MSGQUEUE):
    try: resource.setrlimit(limit, (1 << 40, 1 << 40))
    except ValueError as error: print("not raised")
open("/dev/shm/udock-litter", "w").close() if os.access("/dev/shm", os.W_OK) else None
"""
ASKED = f"""
import os
from udock_lab import sandbox
def kept():
    return [line.split()[:2] for kind in ("shm", "sem", "msg") for line in open(f"/proc/sysvipc/{{kind}}")]
before = kept()
result = sandbox.run({IPC!r}, shut=True)
print(result.stdout + result.stderr, result.identity, kept() == before, os.path.exists("/dev/shm/udock-litter"))
"""


@pytest.mark.parametrize("words", [D, [*D, *WITHOUT_LANDLOCK]], ids="-".join)
def test_nothing_that_outlives_processes_outlives_a_sandbox(words: list[str]) -> None:
    """Shared memory, semaphores, queues of both kinds, files in memory (600 MB of them once stayed)."""
    done = rungs.run(words, ASKED)
    if "user 2" not in done.stdout:
        pytest.skip("needs privilege: only root becomes another user")
    assert done.stdout.split("\n")[:4] == ["True", "-1 Too many open files", "not raised", "not raised"], done.stdout
    assert done.stdout.endswith("True False\n"), done.stdout + done.stderr
