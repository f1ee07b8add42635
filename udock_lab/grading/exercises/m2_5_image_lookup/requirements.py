"""M2.5: what ``find_image_by_name(db, name)`` promises."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["FUNCTIONS", "REQUIREMENTS", "TITLE"]

TITLE = "find_image_by_name(db, name): one record among others"
FUNCTIONS = ("find_image_by_name",)
REQUIREMENTS = (
    Requirement(
        key="finds",
        name="the path of the image with that name, as text",
        points=1,
        lesson='m2_5_image_lookup, "Situation"',
        hints=(
            "A line has three fields. Which one is compared, and which one is the answer?",
            'line.split("|") gives the fields; the line ends with a newline, which is part of the last one.',
        ),
    ),
    Requirement(
        key="none",
        name="None for an image that is not there, and for a database that is not there",
        points=1,
        lesson='m2_5_image_lookup, "The same in mdock: five answers"',
        hints=(
            "Before the first image is made there is no images.db. Is that a mistake of somebody's?",
            "except FileNotFoundError: return None",
        ),
    ),
    Requirement(
        key="exact",
        name="the whole name in exact case: no prefix, no part of it, no pattern, no blanks around it",
        points=1,
        lesson='m2_5_image_lookup, "Predict"',
        hints=(
            "Does demo-old begin with demo? Does your test see a difference?",
            "fields[0] == name, and nothing else: no startswith, no in, no lower, no strip, no regular expression.",
        ),
    ),
    Requirement(
        key="path",
        name="the path comes back as it stands in the line, with every blank and every letter",
        points=1,
        lesson='m2_5_image_lookup, "A damaged line may be no text"',
        hints=(
            "A folder's name may begin or end with a blank. What takes blanks away in your function?",
            "The table is UTF-8. Paths may hold more than ASCII.",
        ),
    ),
    Requirement(
        key="damaged",
        name="lines that are no record are passed over, whatever they hold, and only a newline ends a line",
        points=1,
        lesson='m2_5_image_lookup, "A damaged line may be no text"',
        hints=(
            "What does your function do at a line with two fields, four, none? And if it begins with the name?",
            "Bytes that are no text raise UnicodeDecodeError. Compare bytes, or decode with errors='surrogateescape'.",
            'Text mode and splitlines take more than \\n for an end of line. open(db, "rb") does not.',
        ),
    ),
    Requirement(
        key="first",
        name="of two records with the same name the first one counts",
        points=1,
        lesson='m2_5_image_lookup, "Go further"',
        hints=("When may your loop stop? What does a dict keep of two equal keys?",),
    ),
    Requirement(
        key="anew",
        name="each call sees the database as it is at that moment",
        points=1,
        lesson='m2_5_image_lookup, "Between lookup and entry"',
        hints=("What does your function remember from one call to the next?",),
    ),
    Requirement(
        key="reads",
        name="it reads the database itself: no other program, nothing opened for writing, nothing left open",
        points=1,
        lesson='m2_5_image_lookup, "Between lookup and entry"',
        hints=(
            "A lookup changes nothing, and needs no help: grep is a process of its own.",
            "with open(db, 'rb') as file: closes it on each way out.",
        ),
    ),
)
