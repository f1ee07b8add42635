"""Asks with os.stat whether there is a table; says what it passes over."""

import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        os.stat(db)
    except FileNotFoundError:
        print("no database yet")
        return None
    with open(db, mode="rb") as f:
        for number, line in enumerate(f, start=1):
            try:
                fields = line.decode("utf-8").removesuffix("\n").split("|")
            except UnicodeDecodeError:
                print(f"line {number}: no text")
                continue
            if len(fields) != 3:
                print(f"line {number}: {len(fields)} fields")
                continue
            if not (fields[0] and fields[1] and fields[2]):
                continue
            if fields[0] == name:
                return fields[1]
    return None
