"""A thread waits for the child; results come through a queue. Lock by an exclusive name."""

import os, queue, threading, time, errno, pickle
from udock_lab.grading import ExitInfo


class Guard:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        mine = f"{self.path}.{os.getpid()}.{threading.get_ident()}"
        with open(mine, "w"):
            pass
        while True:
            try:
                os.link(mine, self.path)
                break
            except FileExistsError:
                time.sleep(0.002)
        os.unlink(mine)

    def __exit__(self, *a):
        os.unlink(self.path)


def run(home, image, argv):
    j = os.path.join
    root = next(
        (
            f[1]
            for f in (
                l.rstrip("\n").split("|") for l in open(j(home, "images.db"), errors="surrogateescape", newline="\n")
            )
            if len(f) == 3 and f[0] == image
        ),
        None,
    )
    if root is None:
        raise LookupError(f"Image '{image}' not found")
    gate_r, gate_w = os.pipe()
    rep_r, rep_w = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            os.close(gate_w)
            os.close(rep_r)
            if not os.read(gate_r, 1):
                os._exit(125)  # the parent is gone, and nothing is recorded
            phase = "enter"
            program = argv[0]
            os.chdir(root)
            try:
                os.chroot(os.curdir)
            except OSError as x:
                if x.errno != errno.EPERM:
                    raise
                program = os.curdir + argv[0]
            phase = "exec"
            os.execle(program, *argv, {"PATH": os.defpath})
        except OSError as x:
            os.write(rep_w, pickle.dumps((phase, x)))
        finally:
            os._exit(255)
    os.close(gate_r)
    os.close(rep_w)
    db = j(home, "containers.db")
    with Guard(j(home, "lock")):
        with open(db, "rb") as f:
            data = f.read()

        def number(line):
            a = line.split(b"|")
            return int(a[0][1:]) if len(a) == 7 and a[0][:1] == b"c" and a[0][1:].isdigit() else 0

        me = f"c{max(map(number, data.split(bytes([10]))), default=0) + 1}"
        with open(db, "ab") as f:
            f.write(f"{me}|{pid}|{image}|running|{time.strftime('%Y-%m-%dT%H:%M:%S')}||\n".encode())
    os.write(gate_w, b"1")
    os.close(gate_w)
    q = queue.Queue()

    def waiter():
        with os.fdopen(rep_r, "rb") as f:
            said = f.read()
        q.put((said, os.waitpid(pid, 0)[1]))

    t = threading.Thread(target=waiter, daemon=True)
    t.start()
    t.join()
    said, status = q.get()
    if said:
        phase, x = pickle.loads(said)
        code = 125 if phase == "enter" else 127 if x.errno == errno.ENOENT else 126
        info = ExitInfo(code=code, errno=x.errno)
    else:
        code = os.waitstatus_to_exitcode(status)
        info = ExitInfo(code=code) if code >= 0 else ExitInfo(signal=-code)
        if code < 0:
            code = 128 - code
    with Guard(j(home, "lock")):
        lines = open(db, "rb").readlines()
        for i, l in enumerate(lines):
            a = l.split(b"|")
            if len(a) == 7 and a[0] == me.encode():
                a[3], a[5], a[6] = b"exited", time.strftime("%Y-%m-%dT%H:%M:%S").encode(), b"%d\n" % code
                lines[i] = b"|".join(a)
        fd = os.open(home, os.O_TMPFILE | os.O_WRONLY, 0o644)
        for l in lines:
            os.write(fd, l)
        root_fd = os.open("/", os.O_RDONLY)
        os.link(f"proc/self/fd/{fd}", j(home, "new"), src_dir_fd=root_fd, follow_symlinks=True)
        os.close(root_fd)
        os.close(fd)
        os.rename("new", "containers.db", src_dir_fd=(d := os.open(home, os.O_RDONLY)), dst_dir_fd=d)
        os.close(d)
    return info
