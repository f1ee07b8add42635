"""Which misconception an answer to M2.1 looks like: from what was seen to one sentence, or none."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.grading import evidence as ev
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercises.m2_1_process_creation import witness
from udock_lab.grading.exercises.m2_1_process_creation.witness import End
from udock_lab.model import SandboxProcess, SandboxResult

__all__ = [
    "ANY_CHILD",
    "KILLED",
    "STOPPED",
    "TOO_EARLY",
    "carried_on",
    "failed_code",
    "misread",
    "mixed_up",
    "no_answer",
    "no_exec",
    "other_words",
]

ANY_CHILD = "os.wait(), or waitpid with 0 or -1: they wait for any child. waitpid(pid, 0) waits for this one alone."
TOO_EARLY = "nobody waited: the child's end was not known yet, so the code can only be a guess."
KILLED = "a program that takes its time was killed. Nobody knows how long a program takes: wait for its end."
STOPPED = "a stopped program taken for an ended one (WUNTRACED, WSTOPSIG): it went on afterwards."
_SIGSTOP = 19
_TEXT = "a number as text. ExitInfo holds numbers: {0}, not '{0}'."


def no_exec(result: SandboxResult, child: SandboxProcess, strays: Sequence[Said]) -> str:
    """Say why a child became no program."""
    if ev.execs(result, result.parent.pid):
        return "the two branches swapped: fork returns 0 in the child, and it is the child that becomes the program."
    if any(said.kind == "ChildProcessError" for said in strays):
        return (
            "the child went the parent's way: it called waitpid, and has no child of its own to wait for. fork returns "
            "0 in the child, and its pid in the parent: that question comes before any wait."
        )
    if strays and strays[0].returned:
        return "the child returned from launch, into your caller: its branch must become the program, or os._exit."
    if strays:
        return carried_on(strays)
    if ev.forks(result, child.pid):
        return "the child made a process of its own for the program. It is the child itself that becomes the program."
    return "the child went on with the parent's code: without exec it is a copy of the parent for ever."


def other_words(path: str, got: list[str], argv: list[str]) -> str:
    """Say why it is another program than the one that was asked for, or why it got other words."""
    if got == argv:
        if path.rpartition("/")[2] == argv[0].rpartition("/")[2]:
            return "a search of PATH for the program's name. argv[0] is its path already: hand it on as it is."
        return "another file than argv[0] was executed."
    if got == argv[1:]:
        return "the program's own name is the first word of argv; it was left out."
    if got[1:] == argv[1:] and got[:1] == [argv[0].rpartition("/")[2]]:
        return "the first word cut to the bare name, as shells write it. The program gets argv as it is, path and all."
    if "-c" in got and any(argv[1] in word for word in got[2:]):
        return "a shell was asked to start the program; a list of words needs none."
    if " ".join(got).split() == " ".join(argv).split():
        return (
            "the words joined to one string and split again, or stripped of blanks. A word may hold blanks, begin and "
            "end with them, or be empty: hand on the list."
        )
    if len(got) < len(argv) and all(word in argv for word in got):
        return "some of the words were left out: exec hands the program the list that you give, and no other."
    if not set(got[1:]) & set(argv[1:]):
        return "another list than argv: a name from elsewhere in the notebook, or fixed words."
    return ""


def no_answer(result: SandboxResult, said: Said | None) -> str:
    """Say why there is no value, but an error or a process that did not end."""
    if said is not None and said.kind == "ChildProcessError":
        return "a status that nobody keeps: the child was waited for twice, or SIGCHLD is ignored."
    if said is not None and said.kind in ("NameError", "AttributeError", "UnboundLocalError"):
        return "a name that is not there: misspelt, not imported, or not set on the way that was taken."
    if said is not None and said.kind == "ValueError" and "Signals" in said.shown:
        return "a name for each signal: most real-time signals have none in Python, and signal.Signals(35) raises."
    if said is None and witness.hung(result):
        return "a loop until the pid is gone: it stays, and kill(pid, 0) and /proc find it, until somebody has waited."
    return ""


def misread(result: SandboxResult, said: Said, end: End) -> str:
    """Say why a value is not what the kernel said of the program's end."""
    code, signal = end.info
    if said.kind == "NoneType":
        return _nothing(result)
    if not said.is_a("ExitInfo"):
        return _no_info(said, end)
    got = said.plain if isinstance(said.plain, tuple) and len(said.plain) == 3 else (None, None, None)
    given = got[0] if got[0] is not None else got[1]
    if isinstance(given, str) and given in (str(code), str(signal)):
        return _TEXT.format(given)
    if (known := _a_known_number(result, given, end)) and given not in (code, signal):
        return known
    if signal is None:
        return _misread_code(got[0], got[1], code)
    return _misread_signal(got[0], got[1], signal)


def _nothing(result: SandboxResult) -> str:
    if "ExitInfo(" in result.stdout:
        return "print taken for return: the words are on the screen, and the caller gets None."
    return "a function without a return."


def _no_info(said: Said, end: End) -> str:
    code, signal = end.info
    value = said.plain
    if isinstance(value, tuple) and value[-1:] == (end.raw,):
        return "all that waitpid hands back: the child's pid and the wait status, which is still to be decoded."
    if value == end.raw and end.raw not in (0, code):
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if type(value) is str and value in (str(code), str(signal)):
        return _TEXT.format(value)
    if type(value) is int and value in (code, signal):
        return "the code alone. Return ExitInfo(code=...): there are two ways to end."
    return "another value than an ExitInfo. Return ExitInfo(code=...) or ExitInfo(signal=...)."


def _a_known_number(result: SandboxResult, given: object, end: End) -> str:
    if given in (end.raw, str(end.raw)) and end.raw > 255:
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if end.pid and given == end.pid:
        return "the child's pid taken for its code: waitpid hands back the pid first, the status second."
    if isinstance(given, tuple | list) and list(given)[-1:] == [end.raw]:
        return "all that waitpid hands back, in one field: the pid and the status."
    if given == _SIGSTOP and end.status.signal != _SIGSTOP:
        return STOPPED
    if end.unheard and any(call.errno == "ECHILD" for call in ev.waits(result, result.parent.pid)):
        return "a status that nobody keeps: SIGCHLD is ignored, or the child was waited for twice."
    return ""


def _misread_code(code: object, signal: object, wanted: int | None) -> str:
    if isinstance(code, float) and code == wanted:
        return "a division: / makes a float. A shift (status >> 8) or os.WEXITSTATUS(status) makes an int."
    if code == wanted and signal == 0:
        return "WTERMSIG read although the program exited by itself: there was no signal, so it is None."
    if code is None and signal == wanted:
        return "code and signal swapped."
    if (code is None and signal in (9, 15)) or code in (-9, -15, 137, 143):
        return KILLED
    return ""


def _misread_signal(code: object, signal: object, wanted: int) -> str:
    if 128 + wanted in (signal, code) and code != 128 + wanted:
        return (
            "WIFSIGNALED and WTERMSIG left out: bit 7 of the status (a core file was written) is no part of the number."
        )
    if code == 128 + wanted:
        return "128 + n is a habit of shells; the kernel says which signal it was, and that there is no code."
    if code == wanted and signal is None:
        return "the signal's number in the place of the code: the two swapped, or the raw status taken for a code."
    if -wanted in (code, signal):
        return "a negative number is how Python's subprocess and waitstatus_to_exitcode write a signal."
    if signal == wanted and code is not None:
        return "a code beside the signal. A process that a signal ended has no code: it stays None."
    if isinstance(signal, str):
        return "the signal's name; ExitInfo holds its number."
    if code == 0:
        return "WEXITSTATUS read without asking WIFEXITED first: a process that a signal ended has no code."
    if isinstance(signal, int) and any(signal == wanted & mask for mask in (0x0F, 0x1F, 0x3F)):
        return "too few bits: the number of the signal takes the lower seven of the status."
    return ""


def carried_on(strays: Sequence[Said]) -> str:
    """Say how a child came out of launch."""
    raised = next((said for said in strays if not said.returned), None)
    if raised is None:
        return "the child returned from launch as well: what comes after a failed exec must end in os._exit."
    if raised.kind == "SystemExit":
        return "sys.exit or exit in the child: it raises SystemExit, and your caller may catch that. os._exit ends it."
    if raised.is_a("TypeError") and "exec" in f"{raised.code} {raised.shown}":
        return "execv takes one text first, the path argv[0], then the list of all words, argv. This call has others."
    if (raised.is_a("OSError") and "exec" in raised.code) or not raised.line:
        return "the child ran past its branch: execv raised, and the error carried the child into your caller."
    return (
        f"an error of the child's own line ({raised.kind}), before its exec. Mend that line. With try: ... finally: "
        "os._exit(127) around it no error carries a child into your caller."
    )


def failed_code(code: object, errno: int | None, signal: object) -> str:
    """Say which other code than 127 was given for a program that could not be started."""
    if code == 3:
        return "a shell started in place of the program that execve refused: it read the file as its script."
    if errno is not None and code == errno:
        return "the errno taken for the code. It says why exec failed; the code that says that it failed is 127."
    if code is None and signal == 127:
        return "127 is a code, not a signal."
    if code in (0, 1):
        return f"exit code {code} for a program that was not found; shells and container runtimes say 127."
    if code in (127 << 8, 126 << 8):
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    return ""


def mixed_up(said: Said, ends: Sequence[End | None], number: int) -> str:
    """Say so where one caller got what was another's."""
    others = [repr((*end.info, None)) for at, end in enumerate(ends) if end is not None and at != number]
    if said.returned and repr(said.plain) in others:
        return "something that all callers share (a file of one name, a global): one of them got what was another's."
    return ""
