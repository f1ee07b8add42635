"""The smallest programs in which ``ends_well`` is seen to break its promises."""

from udock_lab.grading.reproduction import reproduces


@reproduces("runs", right="os.fork\nos.exec")
def runs(ends_well):
    import os
    import sys

    def tell(event, details):  # Python says what it is about to do (sys.addaudithook)
        if event in ("os.fork", "os.exec", "os.system", "os.posix_spawn", "subprocess.Popen"):
            os.write(1, f"{event}\n".encode())

    sys.addaudithook(tell)
    well = ends_well(["/bin/true"])


@reproduces("code", right="{well}", wanted={"well": True}, tries=[{"number": 1, "well": False}])
def code(ends_well, *, number=0):
    print(ends_well(["/bin/sh", "-c", f"exit {number}"]))


REPRODUCTIONS = (runs, code)
