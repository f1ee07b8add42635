"""M2.3: what ``next_id(db)`` and ``allocate(db)`` promise."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "next_id(db) and allocate(db): unique under any number of processes"
FUNCTIONS = ("next_id", "allocate")
REQUIREMENTS = (
    Requirement(
        key="highest",
        name="the highest number in the file plus one, and c1 if there is none",
        points=1,
        lesson='m2_3_container_ids, "Task"',
        hints=(
            "Records are removed, and the order of lines means nothing. Which number has never been given out?",
            "max(numbers, default=0) + 1. And a file that does not exist holds no numbers.",
        ),
    ),
    Requirement(
        key="numbers",
        name="c10 is higher than c9",
        points=1,
        lesson='m2_3_container_ids, "Task"',
        hints=("Text is compared letter by letter. What has to be done with the digits first?", "int(text[1:])"),
    ),
    Requirement(
        key="junk",
        name="lines that are no records are passed over, and blanks around an id do not matter",
        points=1,
        lesson='m2_3_container_ids, "A table is bytes"',
        hints=(
            "What does your function do with a line that has no |, or with bytes that are no text?",
            r'Read bytes (mode "rb"), and match each line with rb" *c([0-9]+) *\|".',
        ),
    ),
    Requirement(
        key="appends",
        name="allocate appends one line, its id and its pid, and changes no other byte",
        points=1,
        lesson='m2_3_container_ids, "The same in mdock, and in C"',
        hints=('open(db, "a") keeps what is there; the line is f"{id}|{os.getpid()}\\n".',),
    ),
    Requirement(
        key="waits",
        name="allocate waits while another process holds the lock",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "All programs that use the file have agreed on one lock. Which file is it on, and which call takes it?",
            'lock = os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666); fcntl.flock(lock, fcntl.LOCK_EX)',
        ),
    ),
    Requirement(
        key="reads",
        name="it reads when it has the lock, not before",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=("What may have happened to the file while you waited?", "Call next_id(db) below flock, not above."),
    ),
    Requirement(
        key="releases",
        name="the lock is given back when allocate returns",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "The kernel gives a lock back when the process ends. Yours lives on after allocate.",
            "os.close(lock) in a finally; a lock goes with the last descriptor of its open file.",
        ),
    ),
    Requirement(
        key="many",
        name="50 processes at once, all forked by one that has allocated before: 50 ids, 50 lines",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "A lock belongs to the open file. Which processes share one?",
            "Open the lock file inside allocate, each time: what was opened before fork is one lock for all.",
        ),
    ),
)
