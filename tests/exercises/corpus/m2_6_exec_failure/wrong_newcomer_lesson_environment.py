"""The lesson's fixed environment."""

# misconception: the environment of the lesson is the one to use
# fails: hidden:inherits
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()  # both ends are close-on-exec
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, {"PATH": "/usr/bin:/bin"})
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127 if error.errno == errno.ENOENT else 126)
    os.close(write_end)  # or the read below may never end
    said = os.read(read_end, 32).decode()  # empty: the exec closed the last write end
    os.close(read_end)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        return ExitInfo(signal=-code)
    if said == "":
        return ExitInfo(code=code)
    return ExitInfo(code=code, errno=int(said))
