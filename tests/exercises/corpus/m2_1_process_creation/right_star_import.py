"""Everything of os by its bare name, open among it."""

from os import *

from udock_lab.grading import ExitInfo


def launch(argv):
    match fork():
        case 0:
            try:
                execvp(argv[0], argv)
            except Exception:
                _exit(127)
        case child:
            match waitstatus_to_exitcode(waitpid(child, 0)[1]):
                case code if code >= 0:
                    return ExitInfo(code=code)
                case number:
                    return ExitInfo(signal=-number)
