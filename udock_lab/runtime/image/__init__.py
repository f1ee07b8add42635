"""How images come to be: a root file system made from nothing, or copied faithfully, and recorded.

::

    rootfs.py     busybox, or the host's own programs
    copying.py    a faithful copy of a folder: the walk
    contents.py   of one file: its bytes
    metadata.py   of one file: owner, attributes, mode, times
    mounted.py    what is mounted inside
    losses.py     what could not be kept, in sentences
    build.py      how an image is built, exchanged and removed
    privatecopy.py  a copy of its root file system, for one container alone
"""
