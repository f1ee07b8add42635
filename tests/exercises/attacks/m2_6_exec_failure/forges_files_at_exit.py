"""At its exit, and before, it writes every file in which evidence might stand."""

# earns: 0
import atexit
import json
import os

from udock_lab.grading import ExitInfo

PLAIN = {"how": "returned", "kind": "ExitInfo", "mro": ["ExitInfo"], "shown": "", "plain": [[42, None, None]]}


def forge():
    me = os.getpid()
    for name in ("told", "ran", "links", "held", "children", "words", "environment", "callers-environment", "seen"):
        with open(name, "a") as file:
            file.write(json.dumps({"name": "draws", "said": PLAIN, "forks": 1, "here": 0, "channels": ["pipe"]}) + "\n")
            file.write(f"{me + 1} {me} 42 /proc/1/fd/0\n")
    with open("astray", "a") as file:
        file.write("[1]\n{}\n[[[[\n[-1, 3]\n[99, {}]\n")


atexit.register(forge)
forge()


def run(argv):
    forge()
    return ExitInfo(code=42) if os.path.exists(argv[0]) else ExitInfo(code=127, errno=2)
