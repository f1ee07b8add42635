"""sqlite3.connect."""

# misconception: a file called .db is an SQL database
# fails: finds
import sqlite3


def find_image_by_name(db, name):
    con = sqlite3.connect(db)
    cur = con.cursor()
    cur.execute("SELECT rootfs_path FROM images WHERE image_name = ?", (name,))
    row = cur.fetchone()
    con.close()
    if row is None:
        return None
    return row[0]
