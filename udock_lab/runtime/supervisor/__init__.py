"""The parent's side of a container: records, log, wait, end what is left.

A supervisor is one single-threaded process with one event loop. It serves any number of runs at once, each a
:class:`~udock_lab.runtime.supervisor.job.Job` that moves on when something happens: the lock is free, the program has
started, output has come, the process has ended. The notebook's launcher is a supervisor that forks its next child
ahead; the command line forks a supervisor for each run.

::

    serve.py       the process: its loop, and what it is asked for
    job.py         one container, phase by phase, up to the end of its first process
    preparing.py   its steps before the start gate, where one of them forks
    ending.py      from there to the last word
    account.py     what is written down of it: record, spec, steps, events
    output.py      what it writes, on its way to the log and to the caller
    input.py       what it reads
    terminal.py    the container's own terminal, and the keys for it
    looks.py       what /proc shows of it before its first step and after its last one
    caller.py      whoever asked for the run, at the other end of its socket
    children.py    children at their start gates, one of them forked ahead
    helpers.py     other processes of ours, which the launcher starts
    reserve.py     descriptors that are held back for the next request
    waiting.py     taking turns with others who want the home's lock
"""
