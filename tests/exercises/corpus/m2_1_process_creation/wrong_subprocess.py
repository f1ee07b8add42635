"""subprocess does the work."""

# misconception: a library call that does it is as good as doing it
# fails: starts
import subprocess

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    done = subprocess.run(argv)
    return ExitInfo(signal=-done.returncode) if done.returncode < 0 else ExitInfo(code=done.returncode)
