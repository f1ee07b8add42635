"""M2.7, the capstone: ``run(home, image, argv) -> ExitInfo``, a small ``mdock run`` on a real root file system."""
