"""The programs behind experiments, one a file: each stands alone, and runs in a sandbox as its file has it."""
