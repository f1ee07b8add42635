"""What is judged when they hand in."""

from udock_lab.model import Requirement

TITLE = "ends_well(argv): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="signal",
        name="a program that a signal has ended did not go well",
        points=1,
        lesson='m2_1b_exec_and_wait, "Ended by a signal"',
    ),
)
