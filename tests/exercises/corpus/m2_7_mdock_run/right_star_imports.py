"""All of os by its names, one function, as short as it gets."""

from os import *
from fcntl import flock, LOCK_EX
from time import strftime
from udock_lab.grading import ExitInfo
import builtins

T = "%Y-%m-%dT%H:%M:%S"


def run(home, image, argv):
    for l in builtins.open(home + "/images.db", "rb"):
        if len(f := l[:-1].split(b"|")) == 3 and f[0] == image.encode():
            root = f[1]
            break
    else:
        raise LookupError(f"Image '{image}' not found")
    db = home + "/containers.db"
    (gr, gw), (rr, rw) = pipe(), pipe()
    if not (pid := fork()):
        c = 125
        try:
            read(gr, 1)
            chdir(root)
            p = argv[0]
            try:
                chroot(root)
                chdir("/")
            except OSError as e:
                if e.errno != 1:
                    raise
                p = "." + p
            c = 126
            execve(p, argv, {"PATH": "/bin:/usr/bin"})
        except OSError as e:
            write(rw, bytes([c := 127 if (c, e.errno) == (126, 2) else c, e.errno]))
        finally:
            _exit(c)
    close(gr)
    close(rw)
    with builtins.open(home + "/lock", "w") as k:
        flock(k, LOCK_EX)
        n = 1 + max(
            (
                int(f[0][1:])
                for l in builtins.open(db, "rb")
                if len(f := l.split(b"|")) == 7 and f[0][:1] == b"c" and f[0][1:].isdigit()
            ),
            default=0,
        )
        builtins.open(db, "ab", 0).write(b"c%d|%d|%s|running|%s||\n" % (n, pid, image.encode(), strftime(T).encode()))
    write(gw, b"x")
    close(gw)
    r = read(rr, 2)
    close(rr)
    w = waitstatus_to_exitcode(waitpid(pid, 0)[1])
    with builtins.open(home + "/lock", "w") as k:
        flock(k, LOCK_EX)
        with builtins.open(db + ".new", "wb") as new:
            for l in builtins.open(db, "rb"):
                if l.startswith(b"c%d|" % n) and l.count(b"|") == 6:
                    l = b"|".join(
                        [
                            *l.split(b"|")[:3],
                            b"exited",
                            l.split(b"|")[4],
                            strftime(T).encode(),
                            b"%d\n" % (w if w >= 0 else 128 - w),
                        ]
                    )
                new.write(l)
        rename(db + ".new", db)
    return ExitInfo(r[0], errno=r[1]) if r else ExitInfo(w) if w >= 0 else ExitInfo(signal=-w)
