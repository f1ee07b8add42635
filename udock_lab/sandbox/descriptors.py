"""The numbers under which the processes of a sandbox find their ends of sockets and pipes when they start."""

__all__ = ["CONTROL", "REPORTS", "TRACE"]

CONTROL = 3  # the keeper's: its client
REPORTS = 3  # the runner's: its keeper
TRACE = 4  # strace's: what it writes
