"""A child searches and sends the answer through a pipe."""

# misconception: a search wants a process of its own
# fails: reads
import os


def search(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == wanted:
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None


def find_image_by_name(db: str, name: str) -> str | None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        found = search(db, name)
        os.write(write, b"-" if found is None else b"+" + found.encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said[1:].decode() if said.startswith(b"+") else None
