"""Standard error is a pipe to the parent, with a secret word."""

# misconception: standard error with a secret word
# fails: apart
import os
import secrets

from udock_lab.grading import ExitInfo


def run(argv):
    token = secrets.token_hex(8).encode()
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(w, 2)
        try:
            os.execv(argv[0], argv)
        except OSError as e:
            os.write(2, token + b" %d" % e.errno)
        os._exit(127)
    os.close(w)
    text = b""
    while piece := os.read(r, 4096):
        text += piece
        if not piece.startswith(token):
            os.write(2, piece)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if text.startswith(token):
        number = int(text.split()[1])
        return ExitInfo(code=127 if number == 2 else 126, errno=number)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
