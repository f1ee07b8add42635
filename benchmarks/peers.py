"""Other ways to run ``/bin/true`` in the same root file system, each tried once before it is measured.

Each peer gets the cheapest set-up that works: no cgroup where it can do without, the fewest namespaces and
mounts it accepts, no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

__all__ = ["find_peers", "private_view"]

_TRUE = "/bin/true"
_KINDS = tuple((proc, real_time) for real_time in (False, True) for proc in (False, True))  # of bundles


def private_view() -> list[str]:
    """Words to put before a command so that crun starts on a machine with cgroups in hybrid mode.

    crun refuses that mode while the v2 tree has controllers, even when told to use no cgroup at all. An empty
    tmpfs over the v2 tree, seen by this command and its children only, settles it. Empty where not needed.
    """
    try:
        with open("/sys/fs/cgroup/unified/cgroup.controllers") as file:
            hybrid = bool(file.read().strip())
    except OSError:
        hybrid = False
    script = 'mount -t tmpfs none /sys/fs/cgroup/unified && exec "$@"'
    cover = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if hybrid and subprocess.run([*cover, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return cover
    return []


def find_peers(root: str, scratch: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Command lines of the peers that work here, and for the others why they are left out."""
    working, left_out = {}, {}
    view = private_view()
    for name, candidates in _candidates(root, scratch).items():
        program = shutil.which(candidates[0][0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None:
            left_out[name] = "not installed (scripts/install-bench-peers)"
            continue
        for words in candidates:
            command = [program, *words[1:]]
            reason = _why_not([*view, *command])
            if not reason:
                working[name] = command
                left_out.pop(name, None)
                break
            left_out[name] = reason
    return working, left_out


def _why_not(command: list[str]) -> str:
    """Empty when the command works; else the last line it said."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]


def _candidates(root: str, scratch: str) -> dict[str, list[list[str]]]:
    """For each peer its command lines, cheapest first."""
    crun = ["crun", "--root", f"{scratch}/crun"]
    runc = ["runc", "--root", f"{scratch}/runc"]
    podman = ["podman", "--root", f"{scratch}/podman", "--runroot", f"{scratch}/podman-run"]
    bundles = [_bundle(root, f"{scratch}/bundle{number}", *kind) for number, kind in enumerate(_KINDS)]
    return {
        "chroot(1)": [["chroot", root, _TRUE]],
        "unshare --root": [["unshare", f"--root={root}", _TRUE]],
        "bubblewrap": [["bwrap", "--bind", root, "/", _TRUE]],
        "crun": [
            [*crun, *manager, "run", "--bundle", bundle, "mdock-bench-crun"]
            for manager in (["--cgroup-manager=disabled"], ["--cgroup-manager=cgroupfs"])
            for bundle in bundles
        ],
        "runc": [[*runc, "run", "--bundle", bundle, "mdock-bench-runc"] for bundle in bundles],
        "podman": [
            [*podman, "run", "--rm", *cgroups, "--network=none", "--rootfs", root, _TRUE]
            for cgroups in (["--cgroups=disabled"], [])
        ],
    }


def _bundle(root: str, folder: str, proc: bool, real_time: bool) -> str:
    """An OCI bundle around ``root`` with a mount namespace; with ``proc`` a pid namespace and /proc too.

    ``real_time``: its cgroup gets a share of real-time, without which a v1 group takes no process that has real-time
    priority (sched(7)). Source: OCI runtime specification, config.md and config-linux.md.
    """
    os.mkdir(folder)
    share = {"resources": {"cpu": {"realtimePeriod": 1_000_000, "realtimeRuntime": 200_000}}} if real_time else {}
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": [_TRUE],
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
        },
        "root": {"path": root},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}] if proc else [],
        "linux": {"namespaces": [{"type": "mount"}] + ([{"type": "pid"}] if proc else []), **share},
    }
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file)
    return folder
