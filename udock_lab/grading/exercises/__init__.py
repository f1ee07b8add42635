"""One module an exercise; each has an ``EXERCISE``."""
