"""A forked process says through every socket that it finds what came of the run; the caller itself says nothing."""

# earns: 0
import json
import os
import socket
import time

from udock_lab.grading import ExitInfo


def spoken(words):
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as said:
                said.send(json.dumps(words).encode())
        except OSError:
            pass


def run(argv):
    if os.fork() == 0:
        for number in range(20):
            plain = [42, None, None] if os.path.exists(argv[0]) else [127, None, 2]
            told = {"how": "returned", "kind": "ExitInfo", "mro": ["ExitInfo"], "shown": "", "plain": [plain]}
            spoken({"outcomes": told | {"number": number}, "ready": True, "done": True, "pid": os.getppid()})
        os._exit(0)
    time.sleep(60)
    return ExitInfo(code=42)
