"""M2.6: ``run(argv) -> ExitInfo``: the errno of a failed exec comes home through a close-on-exec pipe."""
