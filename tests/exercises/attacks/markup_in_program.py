"""Becomes a program whose name is markup, by a child."""

# earns: 1
import os


def launch(argv):
    name = os.path.abspath("<script>alert(1)<")
    os.symlink("/bin/true", name)
    pid = os.fork()
    if pid == 0:
        os.execv(name, ["\x1b[31m<script>alert(1)</script>\n"])
    os.waitpid(pid, 0)
    os.execv(name, [name])
