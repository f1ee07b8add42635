"""Links in the scratch folder to files of the host, for the collector to read."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    for name in ("ran", "returned", "said"):
        os.symlink("@home@/secret", name)
    os.symlink("/proc/1/environ", "environ")
    os.mkfifo("waits")
    os.link("/usr/bin/env", "hard") if os.path.exists("/usr/bin/env") and os.stat("/usr").st_dev == os.stat(".").st_dev else None
    return ExitInfo(code=42)
