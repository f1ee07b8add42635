"""subprocess has such a pipe inside and raises in the parent."""

# misconception: a call that does it for you is as good
# fails: ended
import subprocess

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    try:
        code = subprocess.run(argv).returncode
    except OSError as error:
        return ExitInfo(code=127 if error.errno == 2 else 126, errno=error.errno)
    return ExitInfo(signal=-code) if code < 0 else ExitInfo(code=code)
