"""What a process inherits about signals (signal(7)): dispositions that are "ignore", and the mask.

Both survive fork and exec. A program that was started with SIGCHLD ignored cannot wait for its children
(waitpid(2) says ECHILD), so whatever forks and waits begins by forgetting what it inherited.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["ENDS_NOBODY", "forget_inherited_signals", "hear_of_children"]

UNCHANGEABLE = {signal.SIGKILL, signal.SIGSTOP}
ENDS_NOBODY = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}  # by default (signal(7))


def hear_of_children() -> None:
    """Put SIGCHLD at its default: ignored, the kernel would reap our children before we could wait for them."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def forget_inherited_signals() -> None:
    """Put every signal at its default, none blocked.

    What came while they were blocked is forgotten, too.
    """
    for number in signal.sigpending():
        if number not in UNCHANGEABLE:
            signal.signal(number, signal.SIG_IGN)  # which discards it (signal(7))
    for number in signal.valid_signals() - UNCHANGEABLE:
        if signal.getsignal(number) != signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
