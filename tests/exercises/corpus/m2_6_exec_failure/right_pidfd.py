"""Waits on a pidfd before it reads."""

import errno
import os
import select

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    r, w = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(r)
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(w, b"%d\n" % error.errno)
        finally:
            os._exit(126)
    os.close(w)
    handle = os.pidfd_open(pid)  # close-on-exec by itself
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()  # readable when the process has ended
    said = os.read(r, 16)
    end = os.waitid(os.P_PIDFD, handle, os.WEXITED)
    os.close(handle)
    os.close(r)
    if end.si_code != os.CLD_EXITED:  # CLD_KILLED or CLD_DUMPED
        return ExitInfo(signal=end.si_status)
    if said:
        why = int(said)
        return ExitInfo(code={errno.ENOENT: 127}.get(why, 126), errno=why)
    return ExitInfo(code=end.si_status)
