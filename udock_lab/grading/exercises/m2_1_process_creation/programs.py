"""The programs that ``launch`` is given: shell scripts, which say that they are there and are told how to end.

They say it to a referee (stage.py), which looks at them in /proc and decides on their end only then: nobody can know
such an end but by waiting for it.
"""

from __future__ import annotations

__all__ = ["LONG", "PROGRAM", "SHELL", "SIGNALS", "draws", "with_words"]

SHELL = "/bin/sh"
LONG = 0.6  # seconds that the slow program takes on a quiet machine: nobody knows its end who has not waited
_TOLD = 'echo "{0} $$" > ../here\nread how end < ../gate-{0}\n'
# Where cores go into the working directory, two of the signals write one, and so set the status's eighth bit.
PROGRAM = f"""{_TOLD.format("$1")}
if [ $how = exit ]; then exit $end; fi
read pattern < /proc/sys/kernel/core_pattern
case $pattern in "|"*|*/*) ;; *) ulimit -c 16;; esac
kill -$end $$
exit 77
"""
# Everyday ones, two of which write a core file, real-time ones, most of which have no name, and whose numbers take six
# or seven bits. Not those that Python itself ignores (PIPE, XFSZ): a program inherits that.
SIGNALS = (1, 2, 6, 9, 11, 15, 35, 50, 64)


def draws(label: str) -> list[str]:
    """Return the words that run the program of that name."""
    return [SHELL, "./program", label]


def with_words(label: str) -> str:
    """Return the same for any words: its name stands in it."""
    return f"{_TOLD.format(label)}exit $end\n"
