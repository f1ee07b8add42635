"""awk does the search."""

# misconception: a shell's tools are as good as reading
# fails: exact
import subprocess


def find_image_by_name(db: str, name: str) -> str | None:
    program = 'BEGIN { FS = "|" } $0 ~ "^" NAME && NF == 3 { print $2; exit }'
    done = subprocess.run(["/usr/bin/awk", "-v", f"NAME={name}", program, db], capture_output=True)
    return done.stdout.removesuffix(b"\n").decode() or None
