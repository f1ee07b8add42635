"""What the runner says of the code that it runs, and others hear: markers in strace's record, names of audit events."""

__all__ = ["AUDITED", "BEGIN", "CAME_TO_THE_END"]

# strace markers: programs that the runner tries to become and that cannot exist, so that the call stands in the record.
BEGIN = "/udock-lab: the learner's code begins"
CAME_TO_THE_END = "/udock-lab: this process came to the end of the code"

# Other ways to start a process than fork: told to the keeper by name (audit events, PEP 578).
AUDITED = frozenset({"subprocess.Popen", "os.system", "os.posix_spawn", "os.spawn", "pty.spawn", "os.forkpty"})
