"""The child waits at a gate until the parent has written its pid down."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    """The child waits at a gate until the parent has written its pid down."""
    gate_r, gate_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(gate_w)
            os.read(gate_r, 1)
            os.close(gate_r)
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    os.close(gate_r)
    record = {"pid": pid, "argv": argv}
    os.write(gate_w, b"!")
    os.close(gate_w)
    record["status"] = os.waitpid(record["pid"], 0)[1]
    code = os.waitstatus_to_exitcode(record["status"])
    return ExitInfo(code=code) if code >= 0 else ExitInfo(signal=-code)
