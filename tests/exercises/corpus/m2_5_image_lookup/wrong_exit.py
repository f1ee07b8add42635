"""exit(127) where None is the answer."""

# misconception: an exit code is an answer
# fails: none
import sys


def find_image_by_name(db, name):
    try:
        f = open(db)
    except FileNotFoundError:
        print("no database")
        exit(127)
    with f:
        for line in f:
            fields = line.split("|")
            if len(fields) == 3 and fields[0] == name:
                return fields[1]
    print("no such image:", name, file=sys.stderr)
    exit(127)
