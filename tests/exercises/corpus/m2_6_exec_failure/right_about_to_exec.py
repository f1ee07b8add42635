"""JSON lines through the pipe: about to exec, then perhaps failed."""

import errno
import json
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()
    try:
        pid = os.fork()
    except BaseException:
        os.close(read_end)
        os.close(write_end)
        raise
    if pid == 0:
        try:
            with open(write_end, "w", encoding="ascii", closefd=False) as out:
                print(json.dumps({"event": "about to exec"}), file=out, flush=True)
                try:
                    os.execve(argv[0], argv, os.environ.copy())
                except OSError as error:
                    print(json.dumps({"event": "failed", "errno": error.errno}), file=out, flush=True)
        finally:
            os._exit(126)

    os.close(write_end)
    with os.fdopen(read_end, "r", encoding="ascii") as lines:
        events = [json.loads(line) for line in lines if line.endswith("\n")]
    while True:
        try:
            _, status = os.waitpid(pid, 0)
            break
        except InterruptedError:
            continue
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))  # before the exec or after it
    if events and events[-1]["event"] == "failed":
        number = events[-1]["errno"]
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    return ExitInfo(code=os.WEXITSTATUS(status))
