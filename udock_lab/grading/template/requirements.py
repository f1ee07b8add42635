"""What ``ends_well(argv)`` promises."""

from udock_lab.model import Requirement

TITLE = "ends_well(argv): did it go well?"
FUNCTIONS = ("ends_well",)
REQUIREMENTS = (
    Requirement(
        key="runs",
        name="the program runs in a process of its own, which is waited for",
        points=2,
        lesson='m2_1b_exec_and_wait, "Action"',
        hints=("Which call makes a second process?", "os.fork(), os.execv in the child, os.waitpid in the parent."),
    ),
    Requirement(
        key="code",
        name="True for exit code 0, False for every other code",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
        hints=("waitpid returns a pair. Which half says how the program ended?",),
    ),
)
