"""The csv module with | between the fields."""

# misconception: a table with | is a CSV file
# fails: path
import csv


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.reader(file, delimiter="|"):
                if len(row) == 3 and all(row) and row[0] == name:
                    return row[1]
    except FileNotFoundError:
        pass
    return None
