"""It starts nothing and asks nobody: what it returns, it has from the words and from looks at the files."""

# earns: 0
import errno
import os
import re

from udock_lab.grading import ExitInfo


def run(argv):
    if not os.path.exists(argv[0]):
        return ExitInfo(code=127, errno=errno.ENOENT)
    if os.path.isdir(argv[0]) or not os.access(argv[0], os.X_OK):
        return ExitInfo(code=126, errno=errno.EACCES)
    text = " ".join(argv[1:]) if argv[0] == "/bin/sh" else open(argv[0]).read()
    interpreter = re.match("#! *(\\S+)", text)
    if argv[0] != "/bin/sh" and not interpreter:
        return ExitInfo(code=126, errno=errno.ENOEXEC)
    if interpreter and not os.path.exists(interpreter[1]):
        return ExitInfo(code=127, errno=errno.ENOENT)
    if found := re.findall("kill -([0-9]+)", text):
        return ExitInfo(signal=int(found[0]))
    if found := re.findall("exit ([0-9]+)", text):
        return ExitInfo(code=int(found[0]))
    return ExitInfo(code=42)
