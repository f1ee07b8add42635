"""subprocess's C half forks and execs, and no audit hook hears of it; the errno comes home by its own pipe."""

# earns: 0
import errno
import os
import sys

import _posixsubprocess
from udock_lab.grading import ExitInfo

sys.audit = lambda *words: None
os.register_at_fork = lambda **words: None


def run(argv):
    r, w = os.pipe()
    words = [os.fsencode(word) for word in argv]
    pid = _posixsubprocess.fork_exec(
        words, [words[0]], True, (), None, None, -1, -1, -1, -1, -1, -1, r, w, True, False, -1, None, None, None, -1, None
        , *([True] if sys.version_info >= (3, 11) else []),
    )
    os.close(w)
    said = os.read(r, 100)
    os.close(r)
    status = os.waitpid(pid, 0)[1]
    if said:
        number = int(said.split(b":")[1], 16)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
