"""The search in a thread."""

from concurrent.futures import ThreadPoolExecutor


def find_image_by_name(db: str, name: str) -> str | None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(search, db, name).result()


def search(db, name):
    try:
        with open(db, "rb") as f:
            for line in f:
                try:
                    x = line.decode().rstrip("\n").split("|")
                except UnicodeDecodeError:
                    continue
                if len(x) == 3 and all(x) and x[0] == name:
                    return x[1]
    except FileNotFoundError:
        return None
    return None
