"""Prints and logs while it works."""

import errno
import logging
import os
import sys

from udock_lab.grading import ExitInfo


logging.basicConfig(level=logging.INFO)


def run(argv):
    logging.info("run %r", argv)
    print("starting", argv[0])
    sys.stdout.flush()
    reading, writing = os.pipe()
    assert not os.get_inheritable(writing)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as problem:
            print(f"exec: {problem.strerror}", file=sys.stderr, flush=True)
            os.write(writing, problem.errno.to_bytes(4, sys.byteorder))
            os._exit(127)
    os.close(writing)
    with open(reading, "rb", buffering=0) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if answer:
        number = int.from_bytes(answer, sys.byteorder)
        logging.warning("%s: %s", argv[0], os.strerror(number))
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        logging.info("signal %d", os.WTERMSIG(status))
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
