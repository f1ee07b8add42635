"""What the operating system offers: thin wrappers around system calls and /proc, one file per concept."""
