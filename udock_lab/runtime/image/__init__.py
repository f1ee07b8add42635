"""How images come to be: a root file system made from nothing, or copied faithfully, and recorded.

::

    rootfs.py     busybox, or the host's own programs
    copying.py    a faithful copy of a folder
    build.py      how an image is built, exchanged and removed
"""
