"""The keeper of one sandbox: starts the runner, watches all that comes of it, ends it, leaves nothing.

The launcher starts it for one run, from a kernel's second one on ahead of time; it ends with that run, or when the
notebook's kernel is gone. It is the subreaper of everything in the sandbox, so no orphan escapes it (prctl(2)).

::

    main.py            the process, and the story: start, watch, end, clean up, report
    sandbox.py         what phases and witnesses share
    starting.py        first phase: the runner is started, and says hello
    running.py         second phase: until everything is gone, or it is too late, too much, or not wanted any more
    ending.py          third phase: what is left is killed, last words are taken

    words.py           first witness: what the processes say of themselves
    trace.py           second witness: what strace saw
    lines.py           and which line of the code made each call
    sweep.py           third witness: whom /proc shows; and how to end all of them
    streams.py         what they write
    process_table.py   who is who, by all of these witnesses

    identity.py        who the code runs as
    spawn.py           how the runner is started, strace around it
    calls.py           which system calls the result gets
    caller.py          the client: output and report go there
    report.py          what it gets
"""
