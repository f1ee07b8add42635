import os


def ends_well(argv):
    """Run a program; say whether it exits with code 0."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return os.waitpid(pid, 0)[1] == 0
