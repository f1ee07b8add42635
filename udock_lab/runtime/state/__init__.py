"""What lies in a home, and how it is read and changed: the tables, and the files beside them.

::

    home.py          where everything lies
    lock.py          the one lock, which whoever changes a table holds
    tables.py        tables that a crash cannot tear
    drafts.py        a table's next state, begun while nobody waits
    ids.py           container ids, none given twice
    containers.py    containers.db
    living.py        whether the process of a record lives, and where
    private.py       what goes with a container, and what it keeps of a replaced image
    removal.py       removing whole trees of files
    images.py        images.db
    extras.py        spec, steps and programs of a container, in files of their own: containers/<id>/
    resources.py     what outlives a killed supervisor, and who has it
    rootsource.py    where a root file system comes from, and what stands in it
    execs.py         programs that exec started, which end with their container
    listing.py       a choice of containers, and no more read than that needs
    logs.py          logs/<id>.log
    eventlog.py      log.txt
    settings.py      what this home has been told to do by default
    shortage.py      words for what ran out
"""
