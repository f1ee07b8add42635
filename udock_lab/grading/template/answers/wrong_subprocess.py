"""A library forks."""

# misconception: a library may do it
# fails: runs
import subprocess


def ends_well(argv):
    return subprocess.run(argv).returncode == 0
