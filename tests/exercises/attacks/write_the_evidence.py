"""Writes the files in which programs leave their word, without running one."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    with open("ran", "w") as file:
        file.write(f"{os.getpid() + 1} {os.getpid()} 42 3")
    with open("returned", "w") as file:
        file.write("ExitInfo [127, None, None]\n" * 3)
    with open("said", "w") as file:
        file.write("".join(f"{number} [42, None]\n" for number in range(10)))
    return ExitInfo(code=42)
