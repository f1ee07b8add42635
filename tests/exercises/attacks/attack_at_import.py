"""Strikes when it is loaded, before anybody calls it."""

import os

from udock_lab.grading import ExitInfo


os.kill(os.getppid(), 9)
os._exit(0)
