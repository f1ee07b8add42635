"""The gate opens when its other end is closed, also because the parent was killed."""
# misconception: a closed pipe is a word like any other
# fails: hidden:others

import errno, os, sqlite3, time
from contextlib import closing, contextmanager
from udock_lab.grading import ExitInfo


@contextmanager
def exclusive(home):
    with closing(sqlite3.connect(os.path.join(home, "lock.sqlite"), timeout=60, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        yield
        db.execute("ROLLBACK")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def run(home, image, argv):
    with open(os.path.join(home, "images.db"), encoding="latin-1", newline="\n") as f:
        for line in f:
            name, bar, rest = line.rstrip("\n").partition("|")
            path, bar2, when = rest.partition("|")
            if bar and bar2 and "|" not in when and name.encode("latin-1") == image.encode():
                rootfs = path.encode("latin-1")
                break
        else:
            raise LookupError(f"Image '{image}' not found")
    gate_r, gate_w = os.pipe()
    rep_r, rep_w = os.pipe()
    pid = os.fork()
    if not pid:
        what = b"125"
        try:
            os.close(gate_w)
            os.read(gate_r, 1)
            program = os.fsencode(argv[0])
            try:
                os.chroot(rootfs)
            except OSError as e:
                if e.errno != errno.EPERM:
                    raise
                program = rootfs + program
                os.chdir(rootfs)
            else:
                os.chdir(b"/")
            what = b"126"
            os.execve(program, argv, {"PATH": "/bin:/usr/bin"})
        except OSError as e:
            if what == b"126" and e.errno == errno.ENOENT:
                what = b"127"
            os.write(rep_w, what + b":" + str(e.errno).encode())
        finally:
            os._exit(int(what))
    os.close(gate_r)
    os.close(rep_w)
    table = os.path.join(home, "containers.db")
    with exclusive(home):
        high = 0
        with open(table, "rb") as f:
            for line in f:
                first, *others = line.split(b"|")
                if len(others) == 6 and first[:1] == b"c" and first[1:].isdigit():
                    high = max(high, int(first[1:]))
        cid = f"c{high + 1}"
        with open(table, "ab") as f:
            f.write(f"{cid}|{pid}|{image}|running|{now()}||\n".encode())
    os.close(gate_w)
    with open(rep_r) as f:
        said = f.read()
    _, status = os.waitpid(pid, 0)
    if said:
        info = ExitInfo(code=int(said.split(":")[0]), errno=int(said.split(":")[1]))
    elif os.WIFSIGNALED(status):
        info = ExitInfo(signal=os.WTERMSIG(status))
    else:
        info = ExitInfo(code=os.WEXITSTATUS(status))
    with exclusive(home):
        with open(table, "rb") as f:
            old = f.read()
        new = []
        for line in old.split(b"\n"):
            f = line.split(b"|")
            if len(f) == 7 and f[0] == cid.encode():
                f[3:] = (
                    b"exited",
                    f[4],
                    now().encode(),
                    str(info.code if info.signal is None else 128 + info.signal).encode(),
                )
            new.append(b"|".join(f))
        with open(table + ".part", "wb") as f:
            f.write(b"\n".join(new))
        os.replace(table + ".part", table)
    return info
