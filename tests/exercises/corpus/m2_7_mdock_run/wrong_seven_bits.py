"""Cuts the exit code to seven bits."""

# misconception: an exit code has seven bits
# fails: ends
import fcntl, os, resource, time
from udock_lab.grading import ExitInfo


def look(home, image):
    f = open(os.path.join(home, "images.db"), "rb")
    try:
        text = f.read()
    finally:
        f.close()
    i = 0
    while i < len(text):
        j = text.find(b"\n", i)
        if j < 0:
            j = len(text)
        line = text[i:j]
        first = line.find(b"|")
        second = line.find(b"|", first + 1)
        if first >= 0 and second >= 0 and line.find(b"|", second + 1) < 0:
            if line[:first] == image.encode():
                return line[first + 1 : second]
        i = j + 1
    raise LookupError("Image '" + image + "' not found")


def run(home, image, argv):
    rootfs = look(home, image)
    lock = os.open(os.path.join(home, "a lock"), os.O_CREAT | os.O_WRONLY, 0o666)
    pa = os.pipe()
    pb = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(pa[0], 100)
        os.dup2(pb[1], 101, inheritable=False)
        os.closerange(3, 100)
        os.closerange(102, 4096)
        try:
            go = os.read(100, 1)
            os.close(100)
            if go == b"":
                os._exit(125)
            os.chdir(rootfs)
            prefix = b""
            try:
                os.chroot(rootfs)
            except OSError as problem:
                if problem.errno == 1:
                    prefix = rootfs
                else:
                    raise
        except OSError as problem:
            os.write(101, bytes([125, problem.errno]))
            os._exit(125)
        try:
            os.execve(prefix + argv[0].encode(), [a.encode() for a in argv], {b"PATH": b"/bin:/sbin"})
        except OSError as problem:
            c = 126
            if problem.errno == 2:
                c = 127
            os.write(101, bytes([c, problem.errno]))
            os._exit(c)
        os._exit(125)
    os.close(pa[0])
    os.close(pb[1])
    fcntl.flock(lock, fcntl.LOCK_EX)
    f = open(os.path.join(home, "containers.db"), "rb")
    top = 0
    for line in f:
        fields = line.split(b"|")
        if len(fields) == 7:
            digits = fields[0][1:]
            if fields[0].startswith(b"c") and digits.isdigit():
                if int(digits) > top:
                    top = int(digits)
    f.close()
    name = "c" + str(top + 1)
    start = time.strftime("%Y-%m-%dT%H:%M:%S")
    f = open(os.path.join(home, "containers.db"), "ab", buffering=0)
    f.write(("%s|%d|%s|running|%s||\n" % (name, child, image, start)).encode())
    f.close()
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.write(pa[1], b"1")
    os.close(pa[1])
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid != 0:
            break
        time.sleep(0.01)
    said = os.read(pb[0], 2)
    os.close(pb[0])
    if len(said) == 2:
        answer = ExitInfo(code=said[0], errno=said[1])
        code = said[0]
    elif status & 127 == 0:
        code = status >> 8 & 127
        answer = ExitInfo(code=code)
    else:
        code = 128 + (status & 127)
        answer = ExitInfo(signal=status & 127)
    fcntl.flock(lock, fcntl.LOCK_EX)
    f = open(os.path.join(home, "containers.db"), "rb")
    g = open(os.path.join(home, "containers.tmp"), "wb")
    for line in f:
        fields = line.split(b"|")
        if len(fields) == 7 and fields[0] == name.encode() and fields[3] == b"running":
            g.write(
                (
                    "%s|%d|%s|exited|%s|%s|%d\n" % (name, child, image, start, time.strftime("%Y-%m-%dT%H:%M:%S"), code)
                ).encode()
            )
        else:
            g.write(line)
    f.close()
    g.close()
    os.rename(os.path.join(home, "containers.tmp"), os.path.join(home, "containers.db"))
    os.close(lock)
    return answer
