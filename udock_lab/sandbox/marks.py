"""Words that the runner writes into strace's record: programs that it tries to become and that cannot exist."""

__all__ = ["BEGIN", "CAME_TO_THE_END"]

BEGIN = "/udock-lab: the learner's code begins"
CAME_TO_THE_END = "/udock-lab: this process came to the end of the code"
