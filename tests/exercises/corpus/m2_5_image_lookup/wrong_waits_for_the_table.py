"""Waits until there is a table."""

# misconception: a missing table will come
# fails: none
import os
import time


def find_image_by_name(db: str, name: str) -> str | None:
    while not os.path.exists(db):
        time.sleep(0.1)
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
