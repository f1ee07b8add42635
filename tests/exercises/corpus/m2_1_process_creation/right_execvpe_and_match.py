"""execvpe, which leaves a path with a slash alone; match over both branches of fork."""

import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    match os.fork():
        case 0:
            try:
                os.execvpe(argv[0], argv, dict(os.environ))
            except BaseException:
                pass
            os._exit(127)
        case pid:
            return decoded(os.waitpid(pid, 0)[1])


def decoded(status: int) -> ExitInfo:
    match os.WIFEXITED(status), os.WIFSIGNALED(status):
        case True, _:
            return ExitInfo(code=os.WEXITSTATUS(status))
        case _, True:
            return ExitInfo(signal=os.WTERMSIG(status))
    raise AssertionError(status)
