"""Run a command where programs for arm64 run too: ``emulating.py COMMAND...``, as root.

binfmt_misc (Linux 6.7 and later) can be registered for one user namespace alone. So the command gets one of its own,
with the same numbers for users and groups, and the rest of the machine keeps refusing such programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ENTRY = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # of Debian's qemu-user-static
REGISTER = """
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && cat "$0" >/proc/sys/fs/binfmt_misc/register || {
  echo "A program for arm64 cannot be run here: it takes Linux 6.7, or: systemctl restart systemd-binfmt" >&2
  exit 1
}
exec setpriv --pdeathsig KILL "$@"
"""


def main(command: list[str]) -> int:
    """Run the command in a child whose users and groups are the machine's; the child ends with this process.

    The child asks for that end last: to become root of the namespace is to forget it (prctl(2), PR_SET_PDEATHSIG).
    """
    reader, writer = os.pipe()
    waiting = f'read -r _ <&{reader}; exec {reader}<&-; exec bash -c "$0" "$@"'
    apart = ["unshare", "--user", "--mount"]
    child = subprocess.Popen([*apart, "bash", "-c", waiting, REGISTER, str(ENTRY), *command], pass_fds=[reader])
    os.close(reader)
    mine = os.readlink("/proc/self/ns/user")
    while child.poll() is None and os.readlink(f"/proc/{child.pid}/ns/user") == mine:
        time.sleep(0.01)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child.pid}/{name}").write_text("0 0 65536\n")
    os.write(writer, b"go\n")
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
