"""cat reads the file."""

# misconception: a shell's tools are as good as reading
# fails: reads
import subprocess


def find_image_by_name(db: str, name: str) -> str | None:
    done = subprocess.run(["/bin/cat", db], capture_output=True)
    for line in done.stdout.split(b"\n"):
        fields = line.split(b"|")
        if len(fields) == 3 and all(fields) and fields[0] == name.encode():
            return fields[1].decode()
    return None
