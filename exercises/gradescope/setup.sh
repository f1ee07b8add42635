#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Ubuntu 22.04 and later, or another with apt-get.
# It brings Python 3.11 or later, strace (which shows system calls) and busybox, and installs udock-lab into
# /opt/udock-lab. Ubuntu 22.04's own Python is 3.10: there uv brings a newer one.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
source=$(cd "$(dirname "$0")" && pwd)
[ -d "$source/wheels" ] || source=/autograder/source
home=/opt/udock-lab
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

apt-get update
apt-get install --yes --no-install-recommends busybox-static ca-certificates python3 python3-venv strace
if python3 -c "$new_enough"; then
  python3 -m venv --clear "$home"
else
  echo "The Python of this image is $(python3 --version): uv brings a newer one."
  python3 -m venv --clear /opt/uv
  /opt/uv/bin/pip install --no-cache-dir uv
  # Below /opt, where the user that a submission runs as can reach it.
  UV_PYTHON_INSTALL_DIR=/opt/python /opt/uv/bin/uv venv --clear --seed --managed-python --python 3.13 "$home"
fi
"$home/bin/python" -c "$new_enough"
"$home/bin/python" -m pip install --no-cache-dir "$source"/wheels/*.whl
apt-get clean
rm -rf /var/lib/apt/lists/*

# Whatever is missing is better known now than when the first submission comes.
"$home/bin/python" -I -c 'import udock_lab.grading.gradescope'
strace --version >/dev/null
echo "udock-lab is ready: $("$home/bin/udock-lab" version), $("$home/bin/python" --version)"
