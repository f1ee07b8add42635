"""Lone surrogates and null characters wherever text goes."""

# earns: 1
import os


def launch(argv):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    raise ValueError("\ud800\udfff\0 \ud800<script>")
