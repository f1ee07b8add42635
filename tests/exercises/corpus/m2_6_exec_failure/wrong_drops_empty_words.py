"""Empty words are left out."""

# misconception: an empty word is noise
# fails: hidden:inherits
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    words = [word for word in argv if word.strip()]  # a program cannot use an empty word
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(words[0], words, os.environ)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127 if error.errno == errno.ENOENT else 126)
        finally:
            os._exit(125)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if said:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(said))
    return ExitInfo(code=os.WEXITSTATUS(status))
