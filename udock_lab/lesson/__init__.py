"""What a notebook calls: begin, predict, settle, put in order, exit ticket, end.

::

    standing.py     how far a learner is in a lesson: begun, read, answered, done
    strip.py        the strip under a title, and the map
    keeping.py      export and import_: the work in one file
    session.py      begin and end: a scratch home, what this machine permits, nothing left behind
    scratch.py      the scratch home
    experiments/    races, kills and measurements that a cell calls by a name, with the programs that run
    predictions.py  predict: locked before the run, compared by program afterwards
    orders.py       put_in_order: lines of a program, executed in the learner's order
    tickets.py      exit_ticket: two questions in a new setting
    explanations.py why each answer is right or wrong
    accepting.py    which spellings of an answer are right
    numerals.py     numbers in digits, in words, with units
    recordings.py   recorded: real runs from a machine where they are permitted
    board.py        progress: what is done
    ledger.py       progress.json
    outline.py      the lessons, their order, their exercises
    terminals.py    terminal_task: something to do in a terminal, done when the records say so
    privacy.py      what an output must not tell
    showing.py      how all of these show themselves
"""

from udock_lab.lesson.board import Progress, progress
from udock_lab.lesson.experiments.programs.privileges import give_up
from udock_lab.lesson.experiments.programs.rights import have_rights
from udock_lab.lesson.keeping import export, import_
from udock_lab.lesson.orders import OrderTask, put_in_order
from udock_lab.lesson.predictions import Prediction, predict
from udock_lab.lesson.recordings import Recorded, record, recorded
from udock_lab.lesson.session import Lesson, begin
from udock_lab.lesson.tickets import ExitTicket, exit_ticket

__all__ = [
    "ExitTicket",
    "Lesson",
    "OrderTask",
    "Prediction",
    "Progress",
    "Recorded",
    "begin",
    "exit_ticket",
    "export",
    "give_up",
    "have_rights",
    "import_",
    "predict",
    "progress",
    "put_in_order",
    "record",
    "recorded",
]
