"""M2.7, the capstone: what ``run(home, image, argv)`` promises."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "run(home, image, argv): a small mdock run"
FUNCTIONS = ("run",)
REQUIREMENTS = (
    Requirement(
        key="missing",
        name="an image that images.db does not have: LookupError(\"Image 'NAME' not found\"), no process, no record",
        points=1,
        lesson='m2_5_image_lookup, "Action"',
        hints=(
            "What must you know before there is any use in a fork?",
            "Look the image up first: split each line at |, take three fields, compare the first one whole.",
        ),
    ),
    Requirement(
        key="inside",
        name="the program runs in a child made with os.fork; its root and its working directory are the image's",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "Which three calls does the child make, and in which order?",
            'os.chdir(rootfs); os.chroot("."); os.execve(...), all of it in the child.',
        ),
    ),
    Requirement(
        key="phase1",
        name="a record that says running, with the program's pid, stands before the program's first instruction",
        points=1,
        lesson='m2_4_metadata, "Action"',
        hints=(
            "fork lets both go on at once. What holds the child back until the parent has written?",
            "A pipe as a gate: the child reads from it first of all, the parent writes into it after the record.",
        ),
    ),
    Requirement(
        key="ends",
        name="run returns how it ended: code, signal, and code 127 or 126 with errno where exec failed",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "This is run from exercise m2_6. Which of your descriptors must be closed before the parent reads?",
            "One close-on-exec pipe for the errno, one as the gate; the parent closes the ends that are the child's.",
        ),
    ),
    Requirement(
        key="phase2",
        name="the record is completed: exited, both times, and the exit code (128 + n for signal n)",
        points=1,
        lesson='m2_4_metadata, "Task"',
        hints=(
            "Which fields of the line are empty while the program runs?",
            "id|pid|image|exited|start|end|code: the start stays, the end is now, a signal n is written as 128 + n.",
        ),
    ),
    Requirement(
        key="whole",
        name="every other line stays, byte for byte, and the completed table takes the old one's place by rename",
        points=1,
        lesson='m2_4_metadata, "Three ways to change a table"',
        hints=(
            "What does a reader see between open(path, 'w') and the write?",
            "Write all lines to a new file in the same folder, close it, os.replace it over the old one.",
        ),
    ),
    Requirement(
        key="ids",
        name="the id is c and the highest number in the file + 1; ten runs at once get ten ids and complete records",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "Between reading the highest id and writing the record somebody else may read. What keeps them out?",
            "flock on a lock file of its own, opened by each run, around every read-then-write of the table.",
        ),
    ),
    Requirement(
        key="clean",
        name="the program gets a PATH, none of the caller's variables, and no descriptor beyond 0, 1 and 2",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "Where does a program's environment come from? Three of the exec functions take it as an argument.",
            'os.execve(argv[0], argv, {"PATH": "/bin:/usr/bin"}); and leave descriptors as Python makes them.',
        ),
    ),
)
