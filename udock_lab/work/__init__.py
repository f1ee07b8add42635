"""What a learner has made: packed into one file, and brought back without losing what is there.

::

    folder.py     the course's folder: what in it is the learner's
    bounds.py     how much an export may hold, and how its files may be called
    exported.py   the file: written, and read as if it came from an enemy
    merging.py    two progress.json become one, with every try of both
    bringing.py   the files and the progress of an export, brought in: all of it, or nothing

Nothing here knows a lesson, a notebook or a terminal.
"""
