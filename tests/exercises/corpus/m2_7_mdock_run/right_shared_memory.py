"""No pipe at all: gate and report lie in a shared page."""

import fcntl, mmap, os, struct, time
from udock_lab.grading import ExitInfo


def stamp():
    return time.strftime("%FT%T")


def run(home: str, image: str, argv: list[str]) -> ExitInfo:
    rootfs = None
    with open(f"{home}/images.db", "rb") as f:
        while line := f.readline():
            fields = line.rstrip(b"\n").split(b"|")
            if len(fields) == 3 and fields[0].decode("utf-8", "surrogateescape") == image:
                rootfs = fields[1].decode("utf-8", "surrogateescape")
                break
    if rootfs is None:
        raise LookupError("Image '%s' not found" % image)
    page = mmap.mmap(-1, mmap.PAGESIZE)
    pid = os.fork()
    if pid == 0:
        code, number = 125, 0
        parent = os.getppid()
        try:
            while page[0] == 0:
                time.sleep(0.001)
                if os.getppid() != parent:
                    os._exit(125)
            program = argv[0]
            try:
                os.chroot(rootfs)
                os.chdir("/")
            except OSError as why:
                if why.errno != 1:
                    raise
                os.chdir(rootfs)
                program = os.path.join(rootfs, argv[0].lstrip("/"))
            code = 126
            os.execve(program, argv, {"PATH": "/bin:/usr/bin:/sbin"})
        except OSError as why:
            number = why.errno
            if code == 126 and number == 2:
                code = 127
        except BaseException:
            pass
        page[8:16] = struct.pack("ii", code, number)
        os._exit(code)
    with open(f"{home}/images.db") as lock:  # this file is never replaced: as good a lock as any
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(f"{home}/containers.db", "rb+") as f:
            best = 0
            for line in f:
                fields = line.split(b"|")
                if len(fields) != 7:
                    continue
                try:
                    best = max(best, int(fields[0].strip().removeprefix(b"c")))
                except ValueError:
                    pass
            f.seek(0, 2)
            f.write(f"c{best + 1}|{pid}|{image}|running|{stamp()}||\n".encode())
    page[0] = 1
    _, status, usage = os.wait4(pid, 0)
    code, number = struct.unpack("ii", page[8:16])
    page.close()
    if number:
        info, recorded = ExitInfo(code=code, errno=number), code
    elif os.WIFEXITED(status):
        info = ExitInfo(code=os.WEXITSTATUS(status))
        recorded = info.code
    else:
        info = ExitInfo(signal=os.WTERMSIG(status))
        recorded = info.signal + 128
    with open(f"{home}/images.db") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(f"{home}/containers.db", "rb") as f:
            data = f.read()
        at = 0 if data.startswith(b"c%d|%d|" % (best + 1, pid)) else data.index(b"\nc%d|%d|" % (best + 1, pid)) + 1
        end = data.index(b"\n", at)
        fields = data[at:end].split(b"|")
        fields[3:] = [b"exited", fields[4], stamp().encode(), b"%d" % recorded]
        with open(f"{home}/containers.db~", "wb") as f:
            f.write(data[:at])
            f.write(b"|".join(fields))
            f.write(data[end:])
        os.rename(f"{home}/containers.db~", f"{home}/containers.db")
    return info
