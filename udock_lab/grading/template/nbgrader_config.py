"""nbgrader's settings for this course folder. Submissions are judged in udock-lab's sandbox; no kernel runs them."""

from pathlib import Path

from udock_lab.grading.nbgrader import configure

c = get_config()  # noqa: F821  (nbgrader puts it here)
configure(c)
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
