"""The programs that ``launch`` is given: shell scripts, which draw their end themselves, from the kernel.

Nobody can know such an end but by waiting for it. Each writes its number, its pid, its parent's and its end into
``ran``.
"""

from __future__ import annotations

__all__ = ["ENDS_BY_SIGNAL", "LONG", "QUICK", "SHELL", "SIGNALS", "SLOW", "WITH_WORDS", "draws"]

SHELL = "/bin/sh"
LONG = 0.6  # seconds that the slow program takes on a quiet machine: nobody knows its end who has not waited
_DRAW = "read u < /proc/sys/kernel/random/uuid; drawn=$(( 0x${u%%-*} ))\n"
# Its first word is its number N, below three: no code is right for two programs.
_CODE = f'{_DRAW}code=$(( drawn % 30 * 3 + 5 + $1 ))\necho "$1 $$ $PPID $code" >> ran\n'
QUICK = f"{_CODE}exit $code\n"
# It is stopped and goes on, as after Ctrl-Z and fg. Whoever sends CONT tries again until the program, which may be slow
# to stop, goes on and ends it. Its second word says how many seconds it takes at the end.
SLOW = f"""{_CODE}
(for again in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.05; kill -CONT $$; done) &
kill -STOP $$
kill $!
sleep $2
exit $code
"""
# Its words, as the kernel has them; /proc knows no other. It fails, and nobody is to start it again for that.
WITH_WORDS = 'echo "0 $$ $PPID 0" >> ran\ncat /proc/$$/cmdline > cmdline\nexit 1\n'
# Everyday ones, two that write a core file and so set the status's eighth bit (where cores go into the working
# directory), real-time ones, most of which have no name, and whose numbers take six or seven bits. Not those that
# Python itself ignores (PIPE, XFSZ): a program inherits that.
SIGNALS = (1, 2, 6, 9, 11, 15, 35, 50, 64)
# Each takes a signal that no other has taken, beginning anywhere.
ENDS_BY_SIGNAL = f"""{_DRAW}me=$1
read pattern < /proc/sys/kernel/core_pattern
case $pattern in "|"*|*/*) ;; *) ulimit -c 16;; esac
set -C
set -- {" ".join(map(str, SIGNALS))}
left=$(( drawn % $# ))
while [ $left -gt 0 ]; do first=$1; shift; set -- "$@" $first; left=$(( left - 1 )); done
for number; do if true > taken/$number; then break; fi; done 2> /dev/null
echo "$me $$ $PPID $number" >> ran
kill -$number $$
exit 77
"""


def draws(script: str, number: int, *more: str) -> list[str]:
    """Return the words that run a script as the program of that number."""
    return [SHELL, f"./{script}", str(number), *more]
