"""The first thread ends by itself, its process stays with another thread."""

import ctypes
import os
import threading
import time


def launch(argv):
    if os.fork() == 0:
        os.setsid()
        threading.Thread(target=time.sleep, args=(300,)).start()
        ctypes.CDLL(None).syscall(60, 0)
    threading.Thread(target=time.sleep, args=(300,)).start()
    ctypes.CDLL(None).syscall(60, 0)
