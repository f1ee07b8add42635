"""M2.2: ``enter(rootfs) -> str``: chdir, chroot, the refusal that is forgiven, and those that are not."""
