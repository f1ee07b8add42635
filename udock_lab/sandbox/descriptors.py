"""The numbers under which the processes of a sandbox find their ends of sockets and pipes when they start."""

__all__ = ["CONTROL", "LAUNCHER", "OURS", "REPORTS", "TRACE"]

CONTROL = 3  # the keeper's: its client
LAUNCHER = 4  # the keeper's: a pidfd of who started it
REPORTS = 3  # the runner's: its keeper
TRACE = 4  # strace's: what it writes
OURS = 200  # where the runner keeps it, out of the way of the learner's
