"""How a root file system comes to be: made from nothing, or copied faithfully.

::

    rootfs.py    busybox, or the host's own programs
    tree.py      a faithful copy of a folder, and its removal
"""
