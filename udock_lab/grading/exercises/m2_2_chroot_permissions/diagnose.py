"""What a wrong answer to M2.2 looks like: the misconception behind what was seen."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercises.m2_2_chroot_permissions.attempt import Attempt, Call
from udock_lab.grading.exercises.m2_2_chroot_permissions.scenes import DESK

__all__ = [
    "ASKED_ITSELF",
    "another_folder",
    "error_not_raised",
    "forgiven_too",
    "leaves",
    "name",
    "no_one_line",
    "not_inside",
    "not_silent",
    "place",
    "quoted",
    "refusal_not_met",
    "so_many",
    "stands_outside",
    "took_no_for_an_answer",
    "written",
    "wrong_word",
]

Wrong = Sequence[tuple[Attempt, int]]
_LINE = 200  # characters of one that are shown
ASKED_ITSELF = "the user id asked, not the kernel. Not root does not mean not allowed."
_ANOTHER_PROCESS = "another process was sent in. The one that called has its old root: a root belongs to one process."
_NO_RETURN = "a function without a return."
_PRINTED = "printed, not returned: print shows a text to a reader, return hands it to whoever called."
_LOOP = "chroot tried again and again. EPERM does not go away by itself: the right is missing at each try."
_EXIT = (
    "exit called in a function: it ends the program of whoever called (as SystemExit). An exception lets them decide."
)
_ENDED = "the process ended inside enter: whoever called is gone with it, and hears no reason."
_NAMESPACE = (
    "the right made by oneself: a user namespace of one's own, with CAP_SYS_CHROOT in there. A refusal was to be told,"
    " not to be got round; / stays as it was."
)


def name(number: int) -> str:
    """Write an errno by its name."""
    return errno.errorcode[number]


def place(where: str) -> str:
    """Say a place in words."""
    words = {
        "rootfs": "the folder",
        "/": "the old /",
        "where it was": "where it was before",
        "elsewhere": "somewhere else",
    }
    return words.get(where, where)


def _sent_another(seen: Attempt) -> bool:
    """Return whether it made a process or became a program."""
    return bool(seen.seen(*ev.FORKS, "execve", "posix_spawn")) and any(
        "CLONE_THREAD" not in call.arguments for call in seen.seen(*ev.FORKS, "execve")
    )


def took_no_for_an_answer(seen: Attempt) -> bool:
    """Return whether it warns of a refusal that the kernel never gave: nobody is root here."""
    gave_up = seen.word == "chdir" and any(call.lines for call in seen.calls)
    return seen.uid != 0 and gave_up and seen.watched and not seen.seen("chroot")


def leaves(seen: Attempt) -> bool:
    """Return whether it left its namespaces, or tried to."""
    if not seen.watched:
        return seen.came == "back" and seen.users == "elsewhere"
    made = any("CLONE_NEW" in call.arguments for call in seen.seen(*ev.FORKS))
    return made or bool(seen.seen("unshare", "setns"))


# --- chroot is permitted


def not_inside(seen: Attempt) -> str:
    """Say why / is not the folder."""
    calls = seen.seen("chroot")
    if seen.came != "back":
        return _not_back(seen)
    if not calls and _sent_another(seen):
        return _ANOTHER_PROCESS
    if seen.raised:
        return _failed_before(seen)
    if not calls and seen.watched:
        if seen.cwd == "rootfs":
            return "chdir taken for chroot: the process moved into the folder, and / is where it was."
        if seen.uid != 0 and seen.word == "chdir":
            return ASKED_ITSELF
        return "the right word without the call." if seen.word == "chroot" else "chroot is never called."
    if seen.root == "where it was":
        return 'chroot(".") before chdir: "." is the folder in which the process stands at that moment.'
    if seen.root == "/" and any(not call.errno for call in calls):
        return "chroot called on the old root, or a second time: a process has one root, the last one counts."
    return ""


def _failed_before(seen: Attempt) -> str:
    if another := _another_path(seen):
        return another
    if seen.said is not None and seen.said.is_a("SystemExit"):
        return _EXIT
    return ""


def _another_path(seen: Attempt) -> str:
    if seen.errno == errno.ENOENT and seen.about.startswith("/") and not seen.about.endswith(seen.path.strip("/")):
        return f"another path than the one that was given: {seen.about!r} stands in the answer, or was made by it."
    return ""


def _not_back(seen: Attempt) -> str:
    if seen.came == "ended":
        return _ENDED
    refused = [call for call in seen.seen("chroot") if call.errno == "EPERM"]
    return _LOOP if len(refused) > 2 else ""


def wrong_word(seen: Attempt) -> str:
    """Say why it is inside, and "chroot" is not what came back."""
    if seen.said is None:
        return _not_back(seen)
    if seen.raised:
        return _lost_inside(seen)
    if seen.said.kind == "NoneType":
        return _PRINTED if "chroot" in seen.calls[-1].stdout else _NO_RETURN
    if seen.said.kind == "bytes":
        return 'bytes, not text: b"chroot" and "chroot" are two things in Python.'
    if seen.word.strip().lower() == "chroot":
        return "nearly the word: whoever called compares it letter by letter."
    return ""


def _lost_inside(seen: Attempt) -> str:
    """Say what was looked for in the new root in vain."""
    if seen.errno != errno.ENOENT:
        return ""
    if seen.about.endswith(f"/{DESK}"):
        return (
            "a way back to where the process was: after chroot that path starts at the new root, where it is missing."
            " The working directory is to stay inside."
        )
    return "the old path used after chroot: it begins with / and starts at the new root, where it is missing."


def stands_outside(seen: Attempt) -> str:
    """Say why the working directory is not the new root."""
    if seen.cwd == "where it was":
        back = [call for call in seen.seen("chdir", "fchdir") if not call.errno]
        if len(back) > 1:
            return "a good guest who goes back to where it was: that is outside, and a way out."
        return "chroot taken for a call that moves the process. It changes where / is."
    if seen.cwd == "/":
        return 'chdir("/") before chroot: at that moment / was still the old root. The order of the two calls matters.'
    return ""


def another_folder(seen: Attempt) -> str:
    """Say which folder a relative path was taken for."""
    if seen.came != "back":
        return _not_back(seen)
    moves = seen.seen("chdir", "fchdir", "chroot")
    paths = [ev.path_of(call) for call in moves]
    relative = seen.path
    if f"/{relative}" in paths or f"//{relative}" in paths or (moves and paths[0] == "/"):
        return "a relative path taken for one that starts at /. It starts at the working directory."
    if paths.count(relative) > 1 or (seen.raised and moves and not moves[0].errno):
        return "the path used twice. After the first call the working directory is another, and so is the path's end."
    if any(path.endswith(f"/{relative}") and f"/{DESK}/" not in path for path in paths):
        return (
            "the working directory of another moment: it was asked for when the cell ran. A relative path starts where"
            " the process stands when enter is called."
        )
    return ""


# --- chroot is refused with EPERM


def refusal_not_met(seen: Attempt, *, has_the_right: bool) -> str:
    """Say why the process does not work in the folder, or says another word."""
    if seen.came != "back":
        return _not_back(seen)
    if leaves(seen) or seen.inside:
        return _NAMESPACE
    if seen.raised:
        return _refusal_raised(seen, has_the_right=has_the_right)
    if seen.word == "chroot":
        return "the word for what was refused: / is the old root, nothing is shut in."
    if seen.cwd == "/":
        return "chdir to / after a refused chroot: / is still the machine's, and the folder has been left again."
    if seen.cwd == "where it was":
        if _sent_another(seen):
            return "another process moved into the folder (a shell?) and ended. This one stands where it was."
        return "the refusal swallowed and nothing done in its place."
    if seen.said is not None and seen.said.kind == "NoneType":
        return _PRINTED if "chdir" in seen.calls[-1].stdout else _NO_RETURN
    return ""


def _refusal_raised(seen: Attempt, *, has_the_right: bool) -> str:
    if seen.said is not None and seen.said.is_a("SystemExit"):
        return _EXIT
    if seen.errno == errno.EPERM and has_the_right:
        return (
            "the capability taken for the answer. A filter or a security module may refuse chroot to whoever has it:"
            " only the call itself tells."
        )
    if seen.errno == errno.EPERM:
        return "nothing meets the refusal: it comes out as an exception. The folder can still be worked in."
    if seen.errno == errno.ENOENT and any(not call.errno for call in seen.seen("chdir")):
        return "the path used twice. After the first call the working directory is another, and so is the path's end."
    if another := _another_path(seen):
        return another
    if seen.said is not None and (seen.said.is_a("NameError") or seen.said.is_a("AttributeError")):
        return "a mistake in a line that runs where chroot is refused, and nowhere else: it had never been run before."
    if seen.said is not None and seen.said.is_a("OSError"):
        return "the refusal turned into another error. It was to be met: chdir, a warning, and the word."
    return ""


# --- errors that are not forgiven


def error_not_raised(seen: Attempt, number: int, *, forgives: bool) -> str:
    """Say what became of the error of a bad path; ``forgives``: an error of chroot itself was forgiven, too."""
    if seen.came != "back":
        return _not_back(seen)
    if seen.raised:
        return _another_error(seen, number)
    if number == errno.EACCES and seen.cwd == "elsewhere":
        return "a closed folder opened. Its mode is what its owner decided; the caller has to hear of it."
    if number == errno.ENOENT and seen.cwd == "elsewhere":
        return "the missing folder was made. A mistyped name then enters an empty root."
    if not forgives:
        return (
            "a look before the call (os.path.exists, isdir), or an except of its own for it, decides about a bad path."
        )
    if number == errno.EACCES and seen.word == "chdir":
        return "any PermissionError taken for EPERM. It stands for EACCES as well: something on the way is closed."
    if seen.said is not None and seen.said.kind == "NoneType":
        return "the error caught and not raised again: whoever called goes on as if all were well."
    return "this failure taken for EPERM: a caller who gets a word believes it."


def _another_error(seen: Attempt, number: int) -> str:
    said = seen.said
    assert said is not None
    if said.is_a("SystemExit"):
        return _EXIT
    if said.is_a("OSError") and said.errno is None:
        return (
            f"{said.kind} made from a text alone has no errno. The kernel's own error has it: let it pass, or write"
            " raise without anything behind it."
        )
    if number == errno.EACCES and seen.errno in (errno.ENOENT, errno.ENOTDIR):
        return (
            "a look before the call: os.path.exists and isdir say False for what may not be seen, too. Only the call"
            " itself knows the reason."
        )
    if another := _another_path(seen):
        return another
    if {number, seen.errno} == {errno.ENOENT, errno.ENOTDIR}:
        return "a look before the call: no to os.path.isdir or exists does not say why. Only the call itself does."
    if said.is_a("OSError"):
        return "the error replaced by another: its number is gone, and with it the reason."
    if said.is_a("NameError") or said.is_a("AttributeError"):
        return ""
    return f"the kernel's error replaced by {said.kind}: who waits for an OSError does not catch it."


def so_many(wrong: Wrong, of: Sequence[int]) -> str:
    """Say which other ones of these errors did not come out either."""
    others = [name(number) for _, number in wrong[1:]]
    if len(wrong) == len(of):
        return f"; so it did for all {len(of)} that were tried"
    return f"; nor came {', '.join(others)}" if others else ""


def forgiven_too(wrong: Wrong, of: Sequence[int]) -> str:
    """Say by which rule these errors were forgiven, and others not."""
    first, number = wrong[0]
    numbers = {number for _, number in wrong}
    if first.came != "back":
        return _not_back(first)
    if first.raised:
        return _another_error(first, number)
    if numbers == set(of):
        return "any OSError of chroot taken for a refusal. Its errno tells: EPERM is the one that is forgiven."
    if numbers == {errno.EACCES}:
        return "any PermissionError taken for EPERM. It stands for EACCES as well: something on the way is closed."
    if numbers == {one for one in of if str(one).startswith("1")}:
        return (
            f"errors told apart by their text: 'Errno 1' begins 'Errno {number}', too. Compare error.errno, a number."
        )
    if first.said is not None and first.said.kind == "NoneType":
        return "an error that no branch names falls through all of them, and enter comes back without a word."
    if len(numbers) > 1 and errno.ENOSYS in numbers:
        return "a list of errors to raise, and all others forgiven. Name the one to forgive: EPERM."
    return f"{name(number)} forgiven as well. It is no missing right: the caller has to hear of it."


# --- the warning


def written(call: Call) -> str:
    """Say what was written instead of one line."""
    lines = call.lines
    if not lines:
        return "it went to standard output" if call.stdout.strip() else "nothing was written"
    return f"{len(lines)} lines: {', '.join(map(quoted, lines[:3]))}" if len(lines) > 1 else quoted(lines[0])


def quoted(line: str) -> str:
    """Write a line as a learner would; of a long one its beginning."""
    return repr(line) if len(line) <= _LINE else f"{line[:_LINE]!r} and more"


def no_one_line(call: Call, number: int, *, traceback: bool) -> str:
    """Say why it is not one line."""
    if traceback:
        return "a traceback taken for a warning. It tells a programmer where; users want to hear what they do not get."
    if call.lines:
        return (
            "more than was asked for: one line is read, a list of lines is passed over." if len(call.lines) > 1 else ""
        )
    if call.late:
        return (
            "a file or a stream of one's own on standard error: the line is still in its buffer when enter returns, and"
            " a process that becomes another program loses it (flush=True, or sys.stderr itself)."
        )
    if call.stdout.strip():
        return "output taken for the place of warnings: there the container's own words go."
    if number:
        return "warned once for the whole process. Each refusal is news to whoever called."
    return ""


def not_silent(seen: Attempt, refused: Attempt) -> str:
    """Say why there is a line where none belongs."""
    ends = re.sub(r"\W+", " ", seen.calls[-1].stderr)
    if seen.returned and ends == re.sub(r"\W+", " ", refused.calls[0].stderr):
        return "the warning comes before chroot was asked. It is for the one case in which chroot was refused."
    return (
        "a warning taken for a report. It is for the one case in which the caller gets less than was asked for and no"
        " error."
    )
