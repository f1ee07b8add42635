"""M2.4: what ``save(db, record)`` and ``update(db, id, status, end_time, exit_code)`` promise."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "save and update: two phases, never a torn table"
FUNCTIONS = ("save", "update")
REQUIREMENTS = (
    Requirement(
        key="saves",
        name="phase 1: save adds one running record at the end of the table, in the exact format",
        points=1,
        lesson='m2_4_metadata, "Situation"',
        hints=(
            "A record has seven fields with six | between them, also when two of them are not known yet.",
            "The end time and the exit code of a running container are empty; the line ends with a newline.",
            'open(db, "a") makes the table if there is none, and adds at its end if there is one.',
        ),
    ),
    Requirement(
        key="times",
        name="times are local, ISO 8601, to the second",
        points=1,
        lesson='m2_4_metadata, "What the new file takes over"',
        hints=(
            "start_time counts seconds since 1970. How does a person in your time zone read that?",
            'time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))',
        ),
    ),
    Requirement(
        key="keeps",
        name="save changes no byte that was there, and a torn last line stays a line of its own",
        points=1,
        lesson='m2_4_metadata, "Go further"',
        hints=(
            "The table may end in the middle of a line. What becomes of a record that is added there?",
            "Look at the last byte of the table first. If it is no newline, your record begins with one.",
        ),
    ),
    Requirement(
        key="finishes",
        name="phase 2: update fills in status, end time and exit code of that one record",
        points=1,
        lesson='m2_4_metadata, "Action"',
        hints=(
            "Split the line at |. Which field must be equal to the id, and which three do you change?",
            "c1 and c12 begin alike, an image may be called running, and exit code 0 is a code.",
        ),
    ),
    Requirement(
        key="others",
        name="every other line stays byte for byte, damaged ones too",
        points=1,
        lesson='m2_4_metadata, "The same in mdock, and in C"',
        hints=(
            "Who says that the table is text? Read and write bytes.",
            'Split at b"\\n" only: str.splitlines and text mode see more ends of lines than that.',
            "A line is a record only with exactly seven fields; whatever is none is copied as it is.",
        ),
    ),
    Requirement(
        key="whole",
        name="killed at any system call, or read meanwhile, the table is the old one or the new one, whole",
        points=1,
        lesson='m2_4_metadata, "Three ways to change a table"',
        hints=(
            "Is there a moment at which the table is empty, missing or half written?",
            "Write a new file first, all of it, and close it. Then give it the table's name, in one step.",
            "os.replace(temporary, db), and nothing before it touches db.",
        ),
    ),
    Requirement(
        key="beside",
        name="the temporary file lies in the table's own folder, and nothing is left of it",
        points=1,
        lesson='m2_4_metadata, "What rename does"',
        hints=(
            "rename works within one file system. On which one is /tmp, and on which one is the table?",
            "os.path.dirname(db) is the folder; tempfile.mkstemp takes it as dir=.",
        ),
    ),
    Requirement(
        key="refuses",
        name="an update that cannot be done (no such id: LookupError; a full disk) raises and changes nothing",
        points=1,
        lesson='m2_4_metadata, "What the new file takes over"',
        hints=(
            "What does your function do when no line has the id?",
            "write says how many bytes it wrote. Who looks at that number in your function?",
        ),
    ),
)
