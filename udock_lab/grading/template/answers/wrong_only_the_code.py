"""Only bits 8 to 15 are looked at, which are 0 for a signal, too."""

# misconception: every end has an exit code
# fails: hidden:signal
import os


def ends_well(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return os.waitpid(pid, 0)[1] >> 8 == 0
