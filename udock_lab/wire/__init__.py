"""How the processes of this kit talk: framing, typed messages, one event loop, one outbox, one interrupt policy.

::

    framing.py      datagrams with descriptors over Unix sockets
    hearing.py      the same framing, from a sender who is not trusted
    messages.py     values to bytes and back: one codec for all messages
    loop.py         waits for descriptors and for moments in time (epoll(7))
    outbox.py       output on its way to a reader who may be slow
    interrupts.py   what a first, second and third Ctrl-C does

Empty on purpose: the processes that fork import ``framing`` alone.
"""
