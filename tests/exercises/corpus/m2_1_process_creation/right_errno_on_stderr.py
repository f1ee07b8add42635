"""A pipe carries the errno, and stderr says it in words."""

import errno
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv and say how it ended."""
    read_end, write_end = os.pipe()  # both ends are close-on-exec
    try:
        pid = os.fork()
    except OSError:
        os.close(read_end)
        os.close(write_end)
        raise
    if pid == 0:
        number = errno.EINVAL
        try:
            for name in os.listdir("/proc/self/fd"):
                fd = int(name)
                if fd > 2:
                    try:
                        os.set_inheritable(fd, False)
                    except OSError:
                        pass
            os.execv(argv[0], argv)
        except OSError as error:
            number = error.errno or number
        except BaseException:
            pass
        finally:
            try:
                os.write(write_end, str(number).encode())
            finally:
                os._exit(127)
    os.close(write_end)
    try:
        said = b"".join(iter(lambda: os.read(read_end, 64), b""))
    finally:
        os.close(read_end)
        status = os.waitpid(pid, 0)[1]
    if said:
        try:
            os.write(2, f"launch: {os.strerror(int(said))}\n".encode())
        except OSError:  # nobody listens
            pass
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
