"""M2.1: what ``launch(argv)`` promises."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "launch(argv): a process, a program, its end"
FUNCTIONS = ("launch",)
REQUIREMENTS = (
    Requirement(
        key="starts",
        name="starts a second process, with os.fork",
        points=1,
        lesson='m2_1a_fork, "Action"',
        hints=(
            "Which call makes a second process out of one?",
            "os.fork() returns twice: 0 in the child, the child's pid in the parent.",
        ),
    ),
    Requirement(
        key="becomes",
        name="the child becomes the program, with all its words",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
        hints=(
            "The child's branch has one thing to do before it may end.",
            "os.execv(argv[0], argv): the first word is both the file to run and the program's own name.",
        ),
    ),
    Requirement(
        key="code",
        name="the parent learns the exit code",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
        hints=(
            "waitpid hands over 16 bits. Which of them hold the code?",
            "os.WIFEXITED(status) asks whether there is a code, os.WEXITSTATUS(status) reads it.",
        ),
    ),
    Requirement(
        key="signal",
        name="a program ended by a signal is told apart",
        points=1,
        lesson='m2_1b_exec_and_wait, "Ended by a signal"',
        hints=(
            "A process that a signal has ended has no exit code. What does ExitInfo say then?",
            "os.WIFSIGNALED(status) asks, os.WTERMSIG(status) reads the number; the code stays None.",
        ),
    ),
    Requirement(
        key="own",
        name="waits for its own child and it alone",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
        hints=(
            "The caller may have other children. Whose end does os.wait() hand over?",
            "os.waitpid(pid, 0) names the child; -1 would mean any.",
        ),
    ),
    Requirement(
        key="stays",
        name="a child whose exec fails ends there, with code 127",
        points=1,
        lesson='m2_1b_exec_and_wait, "The child leaves, whatever happens"',
        hints=(
            "What does the child do if execv comes back?",
            "try: os.execv(...) finally: os._exit(127). Nothing may carry the child past its branch.",
        ),
    ),
    Requirement(
        key="many",
        name="ten at once, each with its own code, and no zombie is left",
        points=1,
        lesson='m2_1b_exec_and_wait, "Nobody waits: the zombie"',
        hints=("Is there a way out of your function on which nobody waits for the child?",),
    ),
)
