"""The caller's side of a run: what is asked of a supervisor, how it is followed, and what came of it.

::

    planning.py      from what was asked for to the plan that the child gets
    connection.py    how a supervisor is reached
    link.py          one run: what comes, what goes; nothing in it blocks
    attach.py        a link whose caller waits: a terminal, a cell
    inloop.py        a link followed from an event loop, while its caller does other things
    typed.py         what a person types, on its way there
    result.py        what the caller is told at the end
    explain/         why execve refused a program, or a program hardly began
"""
