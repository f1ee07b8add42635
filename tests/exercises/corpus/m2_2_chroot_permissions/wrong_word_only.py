"""The right word, nothing done."""
# misconception: what the function says is what it did
# fails: root


def enter(rootfs):
    return "chroot"
