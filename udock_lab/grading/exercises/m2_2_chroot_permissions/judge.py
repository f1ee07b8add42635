"""M2.2: ``enter(rootfs) -> str``: chdir, chroot, the refusal that is forgiven, and those that are not."""

from __future__ import annotations

import errno
import random
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_2_chroot_permissions.requirements import REQUIREMENTS
from udock_lab.model import SandboxResult, SystemCall

__all__ = ["STORIES", "UNTRACED", "Attempt", "attempts"]


# Each attempt is made by a child of its own. It stays at a gate until its parent has asked the kernel about it:
# where /proc/PID/root and /proc/PID/cwd lead is not for the child's code to say.
_HARNESS = """
import json, os, select, signal, sys
from posix import geteuid, listdir, stat
from udock_lab.grading.inside import high_pipe as __pipe, may_chroot as __may_chroot
from udock_lab.linux.load import crowd as __crowd
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl
from udock_lab.linux.seccomp_filters import refuse_chroot

def __prepare(rights):
    if rights == "none":
        drop_capabilities()
    elif rights == "not root" and not geteuid():  # nobody in a namespace below, with every capability there:
        unshare(CLONE_NEWUSER)                    # a user id that is not mapped reads as 65534 (user_namespaces(7))
        prctl(PR_SET_DUMPABLE, 1)                 # else our parent may not look into our /proc
    elif rights not in ("", "not root"):          # an errno
        refuse_chroot(int(rights))

def __child(path, rights):
    try:
        __prepare(rights)
    except OSError as error:
        return ["unprepared", str(error)]
    fds = os.open("/proc/self/fd", os.O_RDONLY)     # still readable when /proc is not
    before = listdir(fds)
    try:
        made = enter(path)
        said = ["returned", made if isinstance(made, str) else repr(made)[:100], type(made).__name__]
    except OSError as error:
        said = ["raised", error.errno or 0, f"{type(error).__name__}: {error}"]
    except BaseException as error:
        said = ["raised", 0, f"{type(error).__name__}: {error}"]
    sys.stdout.flush()
    sys.stderr.flush()                              # a line without its end waits there
    left = [int(fd) for fd in listdir(fds) if fd not in before]
    try:
        drop_capabilities()
        above = sorted(listdir("../.."))[:40]
    except OSError as error:
        above = [str(error)]
    return [*said, left, above, geteuid(), *map(__written, (1, 2))]

def __written(fd):
    try:
        return os.pread(fd, 65536, 0).decode(errors="replace")
    except OSError:                                 # closed by enter
        return ""

def __where(link, places):
    try:
        found = stat(link)
    except OSError as error:
        return str(error)
    names = [name for name, place in places.items() if place == (found.st_dev, found.st_ino)]
    return names[0] if names else "elsewhere"

__late = []
__seconds = 4 * __crowd(5)

def __attempt(path, rights):
    if __late:
        return [["unasked", "", ""], "", ""]
    word, gate = __pipe(), __pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for fd in (1, 2):      # what enter writes there is this attempt's
                kept = os.memfd_create("written")
                os.dup2(kept, fd)
                os.close(kept)
            os.close(gate[1])      # or a child that enter leaves behind could keep the gate shut for ever
            os.write(word[1], json.dumps(__child(path, rights)).encode())
            os.read(gate[0], 1)
        finally:
            os._exit(0)
    os.close(word[1])
    said = b""
    while more := __read(word[0]):
        said += more
        try:
            json.loads(said)
            break
        except ValueError:
            pass
    places = {"rootfs": __id(__folder), "/": __id("/"), "where it was": __id(".")}
    root, cwd = (__where(f"/proc/{pid}/{link}", places) for link in ("root", "cwd"))
    if __late:
        os.kill(pid, signal.SIGKILL)
        said = json.dumps(["late", round(__seconds), ""])
    os.write(gate[1], b"x")
    for fd in (*gate, word[0]):
        os.close(fd)
    os.waitpid(pid, 0)
    return [json.loads(said or '["ended", "", ""]'), root, cwd]

def __read(fd):
    "One attempt that hangs is told from the others; none is made after it."
    word = select.poll()
    word.register(fd, select.POLLIN)
    if word.poll(__seconds * 1000):
        return os.read(fd, 65536)
    __late.append(fd)

def __id(path):
    found = stat(path)
    return found.st_dev, found.st_ino

for name in ("etc", "tmp", "a folder"):
    os.makedirs(f"{rootfs}/{name}")
with open(f"{rootfs}/etc/hostname", "w") as file:
    file.write(hostname)
os.makedirs("box")
os.symlink(f"../{rootfs}", "box/a link")        # it starts where it stands (symlink(7))
os.symlink(rootfs, "a blank ")
__folder = os.path.abspath(rootfs)
os.makedirs("closed/inside")
os.makedirs("shut")
for name in ("closed", "shut"):
    os.chmod(name, 0)
with open("plain file", "w") as file:
    file.write("no folder")
__whole = [(f"{os.getcwd()}/{path[2:]}" if path[:2] == "./" else path, rights) for path, rights in tries]
try:
    __value__ = [__may_chroot(), [__attempt(*one) for one in __whole]]
finally:
    for name in ("closed", "shut"):
        os.chmod(name, 0o755)
"""
HOST = "the old /"
UNTRACED = {"trace": False, "watch": False}  # /proc tells where a process is; a fork costs a tenth then


class Attempt(NamedTuple):
    """One call of enter, told by the kernel and by the process that called.

    ``said`` is ``returned`` or ``raised`` (``ended``: the process ended, ``late``: it did not come back, ``unasked``:
    one before it did not, ``unprepared``: the machine refused what the attempt needs), ``word`` what came back or the
    error's number, ``about`` its type or the error in words. ``root`` and ``cwd`` are ``rootfs``, ``/``, ``where it
    was`` or ``elsewhere``; ``left`` are descriptors that stayed open, ``uid`` is who
    called.
    """

    path: str
    said: str
    word: Any
    about: str
    left: list[int]
    above: list[str]
    uid: int
    root: str
    cwd: str
    calls: tuple[SystemCall, ...]
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """``returned 'chdir'``, ``raised FileNotFoundError: ...``."""
        if self.said == "returned":
            return f"enter returned {self.word!r}" if self.about == "str" else f"enter returned {self.word}"
        if self.said == "late":
            return f"enter had not come back after {self.word} s"
        return f"enter raised {self.about}" if self.said == "raised" else "the process ended inside enter"


def attempts(bench: Bench, tries: list[tuple[str, str]], **options: bool) -> tuple[bool, list[Attempt]]:
    """Call enter in a fresh process for each (path, rights), in one sandbox; and whether chroot is permitted there.

    ``{}`` in a path is the root file system's own, relative; a path that begins with ``./`` is made absolute.
    ``rights``: empty, ``none``, ``not root``, or the errno with which each chroot is to be refused. ``options`` as
    for :meth:`Bench.play`. Stops judging if the answer brings the whole scenario to an end.
    """
    token = f"{random.randrange(10**6)}"
    rootfs = f"images/demo-{token}/rootfs"
    given = [(path.format(rootfs), rights) for path, rights in tries]
    result = bench.play(_HARNESS, values={"rootfs": rootfs, "hostname": token, "tries": given}, **options)
    value = ev.seen_value(result)
    if not isinstance(value, list):
        first = next(key for key in bench.requirements if key not in bench.judged)
        bench.fail(first, expected="enter comes back", seen=ev.raised(result) or result.verdict)
        return False, []
    may, seen = value
    made = [_attempt(result, at, path, *one) for at, ((path, _), one) in enumerate(zip(given, seen, strict=True))]
    return may, made


def _attempt(result: SandboxResult, at: int, path: str, said: list[Any], root: str, cwd: str) -> Attempt:
    """Return one attempt: the first child asked whether chroot is permitted, the next ones made the attempts."""
    role = f"child {at + 2}"
    named = any(process.role == role for process in result.processes)
    how, word, about, left, above, uid, stdout, stderr = said + ["", "", "", [], [], 0, "", ""][len(said) :]
    return Attempt(
        path.removeprefix("./"),
        how,
        word,
        about,
        left,
        above,
        uid,
        root,
        cwd,
        result.calls_of(role) if named else (),
        stdout,
        stderr,
    )


def judge(bench: Bench) -> None:
    """Judge two stories: chroot permitted, chroot refused; in both the kernel says where the process is."""
    may, (plain, relative, other) = attempts(bench, [("./{}", ""), ("{}", ""), ("./{}", "not root")])
    by = "effects" if any(note.startswith("Judged by effects") for note in bench.notes) else "kernel"
    if may and _took_no_for_an_answer(plain):
        _asks(bench, plain, by)
    if may:
        _root(bench, plain, by)
        _cwd(bench, plain, by)
        _relative(bench, relative, by)
        _asks(bench, other, by)
    else:
        for key in ("root", "cwd", "relative", "asks"):
            bench.skip(key, "not judged here: this machine lets nobody call chroot, not in a user namespace either")
    _refused(bench, plain if may else None, by)


def _root(bench: Bench, seen: Attempt, by: str) -> None:
    expected = '/ is the folder, and enter returns "chroot"'
    if seen.root != "rootfs":
        calls = [call for call in seen.calls if call.name == "chroot"]
        bench.fail(
            "root",
            expected=expected,
            seen=f"{seen.words}; {calls[-1] if calls else 'no chroot'}; / is {_place(seen.root)}",
            looks_like=_why_not_inside(seen, calls),
            by=by,
        )
    if seen.word != "chroot" or seen.said != "returned":
        old_path = seen.said == "raised" and seen.word == errno.ENOENT
        looks_like = "the old path used after chroot: it begins with / and starts at the new root, where it is missing."
        nothing = "a function without a return." if seen.about == "NoneType" else ""
        bench.fail(
            "root",
            expected=expected,
            seen=f"/ is the folder, but {seen.words}",
            looks_like=looks_like if old_path else nothing,
            by=by,
        )
    bench.hold("root", seen=_call(seen, "chroot") or "/proc/PID/root leads to the folder", by=by)


def _why_not_inside(seen: Attempt, calls: list[SystemCall]) -> str:
    if seen.said == "raised":
        return ""
    forked = [call for call in seen.calls if call.name in (*ev.FORKS, "execve")]
    if not calls and forked:
        return "another process was sent in. The one that called has its old root: a root belongs to one process."
    if not calls and seen.cwd == "rootfs":
        return "chdir taken for chroot: the process moved into the folder, and / is where it was."
    if not calls:
        return "the right word without the call."
    if seen.root == "where it was":
        return 'chroot(".") before chdir: "." is the folder in which the process stands at that moment.'
    return ""


def _call(seen: Attempt, *names: str) -> str:
    """Return the last successful one of these calls, as strace printed it."""
    return next((str(call) for call in reversed(seen.calls) if call.name in names and not call.errno), "")


def _cwd(bench: Bench, seen: Attempt, by: str) -> None:
    if seen.cwd != "rootfs":
        stayed = seen.cwd == "where it was"
        bench.fail(
            "cwd",
            expected="the working directory is the new root",
            seen=f"it is {_outside(seen.cwd)}; from there ../.. holds {', '.join(seen.above[:8])}",
            looks_like="chroot taken for a call that moves the process. It changes where / is." if stayed else "",
            by=by,
        )
    bench.hold("cwd", seen=_call(seen, "chdir", "fchdir") or "/proc/PID/cwd leads to the folder", by=by)


def _outside(place: str) -> str:
    return {"/": HOST, "where it was": "where it was before"}.get(place, "somewhere else")


def _relative(bench: Bench, seen: Attempt, by: str) -> None:
    if (seen.word, seen.root, seen.cwd) != ("chroot", "rootfs", "rootfs"):
        moved = seen.said == "raised" and any(
            call.name in ("chdir", "fchdir") and not call.errno for call in seen.calls
        )
        looks_like = (
            "the path used twice. After the first call the working directory is another, and so is the path's end."
        )
        bench.fail(
            "relative",
            expected=f"enter({seen.path!r}) goes into the folder of that name",
            seen=f"{seen.words}; / is {_place(seen.root)}, the working directory is {_place(seen.cwd)}",
            looks_like=looks_like if moved or (seen.said == "raised" and not seen.calls) else "",
            by=by,
        )
    bench.hold("relative", seen=f"{seen.path}: {_call(seen, 'chroot') or 'inside'}", by=by)


def _place(where: str) -> str:
    return "the folder" if where == "rootfs" else _outside(where)


def _took_no_for_an_answer(seen: Attempt) -> bool:
    """Return whether the answer warns of a refusal that the kernel never gave: nobody can be root here."""
    gave_up = (seen.said, seen.word) == ("returned", "chdir") and bool(seen.stderr.strip())
    return seen.uid != 0 and gave_up and not any(call.name == "chroot" for call in seen.calls)


def _asks(bench: Bench, seen: Attempt, by: str) -> None:
    if seen.said == "unprepared":
        bench.skip("asks", f"not judged here: this machine refuses a user namespace ({seen.word})")
        return
    if (seen.word, seen.root) != ("chroot", "rootfs"):
        tried = any(call.name == "chroot" for call in seen.calls)
        bench.fail(
            "asks",
            expected=f"inside: user {seen.uid} has CAP_SYS_CHROOT here",
            seen=f"{seen.words}; " + ("chroot was called" if tried else "chroot was never called"),
            looks_like="" if tried else "the user id asked, not the kernel. Not root does not mean not allowed.",
            by=by,
        )
    bench.hold("asks", seen=f"user {seen.uid}, who has CAP_SYS_CHROOT, is inside", by=by)


# What chroot(2) lists besides EPERM, and ENOSYS, which it does not: of all of them none is forgiven.
_OTHERS = (
    errno.EACCES,
    errno.EIO,
    errno.ENOMEM,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EFAULT,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENOSYS,
)
_BAD = {"./plain file": errno.ENOTDIR, "./closed/inside": errno.EACCES, "./shut": errno.EACCES}


def _refused(bench: Bench, permitted: Attempt | None, by: str) -> None:
    """Judge EPERM for want of the right, EPERM by a filter, then what else a path and chroot may answer."""
    bad = {f"./no folder-{random.randrange(10**6)}": errno.ENOENT, **_BAD}
    tries = [("./{}", "none"), ("{}", "none"), ("./{}", str(errno.EPERM)), *((path, "none") for path in bad)]
    _, seen = attempts(bench, tries + [("./{}", str(number)) for number in _OTHERS], **UNTRACED)
    refused, filtered, bad_ones, other_ones = seen[:2], seen[2], seen[3 : len(tries)], seen[len(tries) :]
    for one in refused:
        _eperm(bench, one, by)
    if filtered.said != "unprepared":
        _eperm(bench, filtered, by, looks_like=_HAS_THE_RIGHT)
    bench.hold("eperm", seen="/proc/PID/cwd leads to the folder", by=by)
    for one, number in zip(bad_ones, bad.values(), strict=True):
        _raised(bench, "raised", one, number, by)
    bench.hold("raised", seen="ENOENT, ENOTDIR, EACCES came out of enter", by=by)
    if filtered.said == "unprepared":
        bench.skip("only", f"not judged here: this machine cannot make chroot fail ({filtered.word})")
    else:
        for one, number in zip(other_ones, _OTHERS, strict=True):
            _raised(bench, "only", one, number, by)
        bench.hold("only", seen=f"{', '.join(map(_name, _OTHERS))} came out of enter", by=by)
    _warns(bench, refused[0], [one for one in seen if one.said == "raised"] + ([permitted] if permitted else []), by)


_HAS_THE_RIGHT = (
    "the capability taken for the answer. A filter or a security module may refuse chroot to whoever has it: only the"
    " call itself tells."
)


def _eperm(bench: Bench, seen: Attempt, by: str, looks_like: str = "") -> None:
    """Judge EPERM that comes out of enter; ``looks_like`` is what it means here."""
    expected = 'enter returns "chdir", and the working directory is the folder'
    if (seen.said, seen.word, seen.cwd) == ("returned", "chdir", "rootfs"):
        return
    if seen.said == "raised" and seen.word == errno.EPERM:
        looks_like = looks_like or "without the right nothing can be done? The folder can still be worked in."
    elif seen.word == "chroot":
        looks_like = "the word for what was refused: / is the old root, nothing is shut in."
    elif seen.said == "returned" and seen.cwd == "/":
        looks_like = "chdir to / after a refused chroot: / is still the machine's, and the folder has been left again."
    elif seen.said == "returned" and seen.cwd == "where it was":
        looks_like = "the refusal swallowed and nothing done in its place."
    else:
        looks_like = ""
    seen_words = f"{seen.words}; the working directory is {_place(seen.cwd)}"
    bench.fail("eperm", expected=expected, seen=seen_words, looks_like=looks_like, by=by)


def _warns(bench: Bench, refused: Attempt, silent: list[Attempt], by: str) -> None:
    """Judge the warning: one line where chroot was refused; none where it was permitted, or an error says it."""
    if not refused.stderr.strip():
        wrong = bool(refused.stdout.strip())
        bench.fail(
            "warns",
            expected="a line on standard error when chroot was refused",
            seen="it went to standard output" if wrong else "nothing was written",
            looks_like="output taken for the place of warnings: there the container's own words go." if wrong else "",
            by=by,
        )
    for one in silent:
        if text := one.stderr.strip():
            when = "chroot was permitted" if one.said == "returned" else "an error is raised: it speaks for itself"
            bench.fail(
                "warns",
                expected=f"silence when {when}",
                seen=f"it wrote: {text.splitlines()[0][:120]}",
                looks_like="a warning taken for a report. It is for the one case in which the caller gets less than"
                " was asked for and no error.",
                by=by,
            )
    bench.hold("warns", seen=refused.stderr.strip().splitlines()[-1][:120], by=by)


def _raised(bench: Bench, key: str, seen: Attempt, number: int, by: str) -> None:
    if seen.said == "raised" and seen.word == number:
        return
    bench.fail(
        key,
        expected=f"OSError with {_name(number)} comes out of enter"
        + (f" when chroot answers {_name(number)}" if key == "only" else f" for {seen.path!r}"),
        seen=seen.words,
        looks_like=_swallowed(seen, number),
        by=by,
    )


def _swallowed(seen: Attempt, number: int) -> str:
    if seen.said == "raised":
        return "the error replaced by another: its number is gone, and with it the reason."
    if number == errno.EACCES and seen.said == "returned" and seen.cwd == "elsewhere":
        return "a closed folder opened. Its mode is what its owner decided; the caller has to hear of it."
    if number == errno.EACCES and seen.word == "chdir":
        return "any PermissionError taken for EPERM. It stands for EACCES as well: something on the way is closed."
    if seen.said == "returned" and number == errno.ENOENT and seen.cwd != "where it was":
        return "the missing folder was made. A mistyped name then enters an empty root."
    return "this failure taken for EPERM: a caller who gets a word believes it." if seen.said == "returned" else ""


def _name(number: int) -> str:
    return errno.errorcode[number]


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
