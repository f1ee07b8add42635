"""What a file is beside its bytes: owner, extended attributes, mode and times."""

from __future__ import annotations

import errno
import os
import stat

from udock_lab.runtime.image.losses import Losses

__all__ = ["keep_metadata", "own"]


def keep_metadata(source: int, target: int, info: os.stat_result, losses: Losses) -> bool:
    """Keep owner, attributes, mode, times, in this order: chown clears setuid and file capabilities.

    Returns False for a file that lost its setuid or setgid bit.
    """
    mode = stat.S_IMODE(info.st_mode)
    owned = own(target, info, losses)
    loses = not owned and mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(info.st_mode)
    if loses:
        mode &= ~(stat.S_ISUID | stat.S_ISGID)  # not for an owner who never asked for it (as cp -p)
    try:
        attributes = os.listxattr(source)
    except OSError:  # this file system has none
        attributes = []
    for attribute in attributes:
        try:
            os.setxattr(target, attribute, os.getxattr(source, attribute))
        except OSError:
            losses.attributes[attribute] = losses.attributes.get(attribute, 0) + 1
    os.fchmod(target, mode)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
    return not loses


def own(target: int | str, info: os.stat_result, losses: Losses, folder: int | None = None) -> bool:
    """Give a copy its owner, by its descriptor or by its name in ``folder``; False where this user may not."""
    try:
        if isinstance(target, int):
            os.fchown(target, info.st_uid, info.st_gid)
        else:
            os.chown(target, info.st_uid, info.st_gid, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL):  # EINVAL: an id this user namespace lacks
            raise
        losses.not_owned += 1
        return False
    return True
