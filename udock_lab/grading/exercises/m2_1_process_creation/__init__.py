"""M2.1: ``launch(argv) -> ExitInfo``: fork, exec, wait, decode."""
