"""The code taken for a truth value."""

# misconception: 0 is false, so it is failure
# fails: code
import os


def ends_well(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return bool(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
