"""How the requirements of M2.2 are judged: the kernel says where each process that called enter is."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_2_chroot_permissions import diagnose
from udock_lab.grading.exercises.m2_2_chroot_permissions.attempt import Attempt, Try, attempts
from udock_lab.grading.exercises.m2_2_chroot_permissions.diagnose import name, place

__all__ = ["STORIES"]

INSIDE = ("rootfs", "rootfs")  # root, working directory
OUTSIDE = ("/", "rootfs")
_TRACEBACK = "Traceback (most recent call last)"


@story("root", "cwd", "relative", "asks", "eperm")
def is_where(bench: Bench) -> None:
    """Call enter where chroot is permitted, by an absolute path and by a relative one, as another user, and refused."""
    rights = [("./{}", ""), ("{}", ""), ("./{}", "not root"), ("./{}", "none"), ("{}", "none")]
    may, seen = attempts(bench, "root", [*rights, ("./{}", str(errno.EPERM))], trace=True)
    plain, relative, other, refused, refused_relative, filtered = seen
    _eperm(bench, [refused, filtered])
    if diagnose.took_no_for_an_answer(plain):
        _asks(bench, plain, plain)  # nobody is root here, and that is the one reason why it is not inside
    again = [(refused, refused_relative)] if bench.holds("eperm") else []
    if may and _root(bench, plain):
        _cwd(bench, plain)
        _relative(bench, [(plain, relative), *again])
        _asks(bench, plain, other)
    elif may:
        for key in ("cwd", "relative", "asks"):
            bench.wait(key, "root")
    elif again:
        _relative(bench, again)
    for key in ("root", "cwd", "relative", "asks"):
        if key not in bench.judged:
            bench.skip(key, "not judged here: this machine lets nobody call chroot, not in a user namespace either")


def _root(bench: Bench, seen: Attempt) -> bool:
    """Judge root directory and word; return whether there is more to see: whatever the word was, it is inside."""
    expected = '/ is the folder, and enter returns "chroot"'
    if not seen.inside:
        calls = seen.seen("chroot")
        bench.fail(
            "root",
            expected=expected,
            seen=f"{seen.words}; {calls[-1] if calls else 'no chroot'}; / is {place(seen.root)}",
            looks_like=diagnose.not_inside(seen),
            by=seen.by,
            go_on=True,
        )
        return False
    if seen.word != "chroot":
        bench.fail(
            "root",
            expected=expected,
            seen=f"/ is the folder, but {seen.words}",
            looks_like=diagnose.wrong_word(seen),
            by=seen.by,
            go_on=True,
        )
        return seen.returned
    bench.hold("root", seen=_last(seen, "chroot") or "/proc/PID/root leads to the folder", by=seen.by)
    return True


def _last(seen: Attempt, *names: str) -> str:
    """Return the last successful one of these calls, as strace printed it."""
    return next((str(call) for call in reversed(seen.seen(*names)) if not call.errno), "")


def _cwd(bench: Bench, seen: Attempt) -> None:
    if not seen.is_at(*INSIDE):
        bench.fail(
            "cwd",
            expected="the working directory is the new root",
            seen=f"it is {place(seen.cwd)}; from there ../.. holds {', '.join(seen.above[:8])}",
            looks_like=diagnose.stands_outside(seen),
            by=seen.by,
            go_on=True,
        )
        return
    evidence = _last(seen, "chdir", "fchdir") or "/proc/PID/cwd leads to the folder"
    bench.hold("cwd", seen=evidence, by=seen.by)


def _relative(bench: Bench, pairs: list[tuple[Attempt, Attempt]]) -> None:
    """Judge that it does what the absolute path did, be that all that was asked or not."""
    for plain, seen in pairs:
        same = (seen.root, seen.word) == (plain.root, plain.word)
        if plain.cwd == "rootfs":  # who stays outside stays where the call was made
            same = same and seen.cwd == plain.cwd
        if not same:
            refused = "" if plain.inside else ", or works there, when chroot is refused"
            bench.fail(
                "relative",
                expected=f"enter({seen.path!r}) goes into the folder of that name{refused}",
                seen=f"{seen.words}; / is {place(seen.root)}, the working directory is {place(seen.cwd)}",
                looks_like=diagnose.another_folder(seen),
                by=seen.by,
                go_on=True,
            )
            return
    seen = pairs[0][1]
    evidence = _last(seen, "chroot", "chdir") or "in the same folder"
    bench.hold("relative", seen=f"{seen.path}: {evidence}", by=seen.by)


def _asks(bench: Bench, plain: Attempt, seen: Attempt) -> None:
    if seen.came == "unprepared":
        bench.skip("asks", f"not judged here: this machine refuses a user namespace ({seen.why})")
        return
    if seen.word != plain.word or not seen.inside:
        tried = bool(seen.seen("chroot"))
        bench.fail(
            "asks",
            expected=f"inside: user {seen.uid} has CAP_SYS_CHROOT here",
            seen=f"{seen.words}; " + ("chroot was called" if tried else "chroot was never called"),
            looks_like="" if tried else diagnose.ASKED_ITSELF,
            by=seen.by,
        )
    bench.hold("asks", seen=f"user {seen.uid}, who has CAP_SYS_CHROOT, is inside", by=seen.by)


# What chroot(2) lists besides EPERM, and ENOSYS and EINVAL, which it does not: of all of them none is forgiven.
OTHERS = (
    errno.EACCES,
    errno.EIO,
    errno.ENOMEM,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EFAULT,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENOSYS,
    errno.EINVAL,
)
BAD = {"./plain file": errno.ENOTDIR, "./closed/inside": errno.EACCES, "./shut": errno.EACCES}


@story("raised", "only", "warns")
def says_what(bench: Bench) -> None:
    """Call enter with bad paths, where chroot answers something else, and twice without the right."""
    bad = {f"./no folder-{random.randrange(10**6)}": errno.ENOENT, **BAD}
    others: list[Try] = [("./{}", str(number)) for number in OTHERS]
    tries = [("./{}", "none"), *((path, "none") for path in bad), *others, ("./{}", "")]
    may, (refused, *seen) = attempts(bench, "raised", tries, twice=0, trace=False)
    bad_ones, other_ones, permitted = seen[: len(bad)], seen[len(bad) : -1], seen[-1]
    _raised(bench, bad_ones, list(bad.values()), good_ones=other_ones)
    if other_ones[0].came == "unprepared":
        bench.skip("only", f"not judged here: this machine cannot make chroot fail ({other_ones[0].why})")
    elif not refused.returned:
        bench.wait("only", "eperm")  # nothing is forgiven at all
    else:
        _only(bench, other_ones)
    silent = [one for one in (*bad_ones, *other_ones) if one.raised] + ([permitted] if may else [])
    _warns(bench, refused, silent)


def _eperm(bench: Bench, seen: list[Attempt]) -> None:
    """Judge the missing right, by both kinds of path, then a filter."""
    for one in seen:
        if one.came != "unprepared" and not (one.word == "chdir" and one.is_at(*OUTSIDE) and not diagnose.leaves(one)):
            bench.fail(
                "eperm",
                expected='enter returns "chdir", the working directory is the folder, / is as before',
                seen=f"{one.words}; the working directory is {place(one.cwd)}, / is {place(one.root)}",
                looks_like=diagnose.refusal_not_met(one, has_the_right=one is seen[-1]),
                by=one.by,
                go_on=True,
            )
            return
    bench.hold("eperm", seen="/proc/PID/cwd leads to the folder", by=seen[0].by)


def _raised(bench: Bench, seen: list[Attempt], numbers: list[int], good_ones: list[Attempt]) -> None:
    for one, number in zip(seen, numbers, strict=True):
        if one.errno != number:
            bench.fail(
                "raised",
                expected=f"OSError with {name(number)} comes out of enter for {one.path!r}",
                seen=one.words,
                looks_like=diagnose.error_not_raised(one, number, forgives=any(good.returned for good in good_ones)),
                by="effects",
                go_on=True,
                tried={"path": one.path, "name": name(number)},
            )
            return
    bench.hold("raised", seen="ENOENT, ENOTDIR, EACCES came out of enter", by="effects")


def _only(bench: Bench, seen: list[Attempt]) -> None:
    wrong = [(one, number) for one, number in zip(seen, OTHERS, strict=True) if one.errno != number]
    if wrong:
        one, number = wrong[0]
        bench.fail(
            "only",
            expected=f"OSError with {name(number)} comes out of enter when chroot answers {name(number)}",
            seen=one.words + diagnose.so_many(wrong, OTHERS),
            looks_like=diagnose.forgiven_too(wrong, OTHERS),
            by="effects",
            go_on=True,
            tried={"rights": f"chroot answers {name(number)}", "name": name(number)},
        )
        return
    bench.hold("only", seen=f"{', '.join(map(name, OTHERS))} came out of enter", by="effects")


def _warns(bench: Bench, refused: Attempt, silent: list[Attempt]) -> None:
    """Judge the warning: one line at each refusal; none where chroot was permitted, or an error says it."""
    if not refused.returned:
        bench.wait("warns", "eperm")
        return
    for number, call in enumerate(refused.calls):
        lines = call.lines
        if len(lines) != 1 or _TRACEBACK in lines[0]:
            again = ", at the second refusal in one process too" if number else ""
            bench.fail(
                "warns",
                expected=f"one line on standard error when chroot was refused{again}",
                seen=diagnose.written(call),
                looks_like=diagnose.no_one_line(call, number, traceback=_TRACEBACK in call.stderr),
                by="effects",
            )
    for one in silent:
        if text := next((call.stderr.strip() for call in one.calls if call.stderr.strip()), ""):
            when = (
                f"chroot was permitted and {one.words}" if one.returned else f"an error speaks for itself: {one.words}"
            )
            bench.fail(
                "warns",
                expected=f"silence when {when} {one.words}",
                seen=f"it wrote {diagnose.quoted(text.splitlines()[0])}",
                looks_like=diagnose.not_silent(one, refused),
                by="effects",
            )
    bench.hold("warns", seen=diagnose.quoted(refused.calls[-1].lines[0]), by="effects")


STORIES = (is_where, says_what)
