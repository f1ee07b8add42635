"""All signals are held around the fork."""

import errno
import os
import signal
import struct

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()
    # no handler of the caller shall run in the child between fork and its branch
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)  # the program gets the caller's mask
                os.execve(argv[0], argv, os.environ)
            except OSError as error:
                os.write(write_end, struct.pack("=i", error.errno))
                os._exit(127 if error.errno == errno.ENOENT else 126)
            finally:
                os._exit(125)
    except OSError:  # fork itself was refused
        os.close(read_end)
        os.close(write_end)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(write_end)
    try:
        said = os.read(read_end, 4)
    finally:
        os.close(read_end)
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return ExitInfo(signal=-code)
    return ExitInfo(code=code, errno=struct.unpack("=i", said)[0]) if said else ExitInfo(code=code)
