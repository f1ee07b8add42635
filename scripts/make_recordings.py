"""Make the recorded runs that lessons show where a machine refuses the real ones: ``make_recordings.py [NAME...]``.

Run it as root on a machine where everything is permitted. Each recording is one real run, made by the function of its
name, and written to ``udock_lab/lesson/recordings/``. A lesson that needs one more adds a function here.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from udock_lab import Runtime, sandbox
from udock_lab.lesson.experiments.roots import WORDS
from udock_lab.lesson.recordings import record
from udock_lab.model import RunResult, SandboxResult

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"

Maker = Callable[[Runtime], RunResult | SandboxResult]


def m2_1a_branches(_: Runtime) -> SandboxResult:
    """Record a traced fork, child and parent in their branches, for where strace is missing or refused."""
    program = (
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os.write(1, b'child: fork gave me 0\\n')\n"
        "    os._exit(7)\n"
        "os.write(1, b'parent: fork gave me the pid of my child\\n')\n"
        "pid, status = os.waitpid(pid, 0)\n"
    )
    return sandbox.run(program, trace=True)


def m2_1b_exec(_: Runtime) -> SandboxResult:
    """Record a traced fork, execve and wait."""
    program = (
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os.execv('/bin/sh', ['sh', '-c', 'exit 42'])\n"
        "pid, status = os.waitpid(pid, 0)\n"
    )
    return sandbox.run(program, trace=True)


def m2_2_chroot_root(runtime: Runtime) -> RunResult:
    """Record a chroot as root: / is the image."""
    return runtime.run("demo", WORDS, snapshots=True)


def m2_2_chroot_userns(runtime: Runtime) -> RunResult:
    """Record a chroot in a user namespace, which needs no root."""
    return runtime.run("demo", WORDS, userns=True, snapshots=True)


def m2_2_lone(runtime: Runtime) -> RunResult:
    """Record an image of one dynamic program: its loader is missing."""
    with tempfile.TemporaryDirectory(prefix="udock-record-") as folder:
        shutil.copy("/bin/ls", f"{folder}/ls")
        runtime.build("lone", folder)
    return runtime.run("lone", ["/ls"])


def m2_2_outside(runtime: Runtime) -> SandboxResult:
    """Record a chroot without chdir: .. climbs out."""
    return experiment("m2_2_chroot_permissions", "outside", runtime)


def m2_2_unchanged(runtime: Runtime) -> SandboxResult:
    """Record what a new root leaves as it was."""
    return experiment("m2_2_chroot_permissions", "unchanged", runtime)


def m2_2_escape(runtime: Runtime) -> SandboxResult:
    """Record a second chroot, made by root inside the first."""
    return experiment("m2_2_chroot_permissions", "escape", runtime, keeps_privilege=True)


def m2_2_held(runtime: Runtime) -> SandboxResult:
    """Record a second chroot that is refused to a process without the privilege."""
    return experiment("m2_2_chroot_permissions", "escape", runtime, keeps_privilege=False)


def experiment(slug: str, function: str, runtime: Runtime, **names: object) -> SandboxResult:
    """Run a function that a lesson's cell defines, with that lesson's own helpers and imports."""
    cells = json.loads((NOTEBOOKS / f"{slug}.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = [line for source in sources if source[:2] != "%%" for line in source.splitlines() if line[:1] != "%"]
    kept = [
        node
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom))
    ]
    program = "\n".join([*map(ast.unparse, kept), f"{function}()"])
    rootfs = runtime.images()[0].rootfs
    return sandbox.run(program, names={"rootfs": rootfs, **names})


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        m2_1a_branches, m2_1b_exec, m2_2_chroot_root, m2_2_chroot_userns, m2_2_lone,
        m2_2_outside, m2_2_unchanged, m2_2_escape, m2_2_held,
    )
}  # fmt: skip


def main() -> int:
    """Make what was asked for; 2 for a name that nothing makes, 1 where this is not the machine for it."""
    wanted = sys.argv[1:] or list(MAKERS)
    unknown = [name for name in wanted if name not in MAKERS]
    if unknown:
        print(f"nothing makes {', '.join(unknown)}; there are: {', '.join(MAKERS)}", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("a recording is made where everything is permitted: run this as root", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="udock-record-") as folder:
        for name in wanted:
            runtime = Runtime(f"{folder}/{name}", spare=False)  # each in a home of its own: its container is c1
            runtime.demo()
            print(record(name, MAKERS[name](runtime)).name)
            runtime.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
