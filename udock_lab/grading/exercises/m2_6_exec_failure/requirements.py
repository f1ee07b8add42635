"""M2.6: what ``run(argv)`` promises."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "run(argv): why a program did not start"
FUNCTIONS = ("run",)
REQUIREMENTS = (
    Requirement(
        key="back",
        name="comes back when the program has ended: nobody keeps the pipe's write end open",
        points=1,
        lesson='m2_6_exec_failure, "Task"',
        hints=(
            "When does a read from a pipe return nothing, and who could still write into yours?",
            "fork copies descriptors. The parent has a write end of its own: close it before you read.",
        ),
    ),
    Requirement(
        key="ended",
        name="the program runs in a child made with os.fork; its code or its signal comes back, and errno is None",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
        hints=(
            "Fork, exec and wait as in exercise m2_1. What does the parent read from the pipe if the exec worked?",
            "An empty read is success: decode the wait status as before and leave errno out.",
        ),
    ),
    Requirement(
        key="missing",
        name="a program that is not there: ExitInfo(code=127, errno=2), and one process returns from run",
        points=1,
        lesson='m2_6_exec_failure, "An exec that fails"',
        hints=(
            "In which process is the error raised when execv fails, and what is the last thing that process may do?",
            "except OSError as error: write error.errno into the pipe; then os._exit. The parent reads the number.",
        ),
    ),
    Requirement(
        key="found",
        name="a program that is there and cannot be executed: code 126, and the errno that execve gave",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "127 stands for one errno only. Which one?",
            "code = 127 if error.errno == errno.ENOENT else 126; and read as many bytes as you wrote.",
        ),
    ),
    Requirement(
        key="apart",
        name="a program that itself exits with 127 or 126 is told apart: errno is None, whatever it prints",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "Any program may exit with 127. What do you have besides the exit code?",
            "errno comes from the pipe and from nowhere else: no byte in the pipe, no errno.",
        ),
    ),
    Requirement(
        key="asks",
        name="execve is asked, not the file system: a missing interpreter is errno 2 although the file is there",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "Which files besides the program must be there for execve to succeed?",
            "No os.path.exists and no os.access: call execv and take the errno that it raises.",
        ),
    ),
    Requirement(
        key="pipe",
        name="the errno travels through a pipe (or a socket pair) that the program does not inherit",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "Which of your descriptors does the new program still have? Let it list /proc/self/fd.",
            "os.pipe() before the fork; its ends close at exec as long as nobody makes them inheritable.",
        ),
    ),
    Requirement(
        key="left",
        name="nothing is left behind, after successes and failures: no zombie, no open descriptor",
        points=1,
        lesson='m2_1b_exec_and_wait, "Nobody waits: the zombie"',
        hints=(
            "Look at each way out of your function. Who waits for the child there, and who closes the read end?",
            "A child whose exec failed is a child: waitpid and os.close(read_end) come before every return.",
        ),
    ),
)
