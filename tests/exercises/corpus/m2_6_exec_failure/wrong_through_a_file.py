"""The errno travels in a file."""

# misconception: any place that both can reach is as good as a pipe
# fails: pipe
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    note = f"errno-{os.getpid()}"
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            with open(note, "w") as file:
                file.write(str(error.errno))
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.path.exists(note):
        with open(note) as file:
            number = int(file.read())
        os.unlink(note)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
