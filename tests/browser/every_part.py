"""A notebook with each kind of card, panel and picture that the kit can show, as lessons and exercises show them."""

from __future__ import annotations

__all__ = ["EVERY_PART"]

EVERY_PART = (
    # the map of the course, in the first lesson
    "%load_ext udock_lab\n"
    "import os, sys\n"
    "from udock_lab.lesson import begin, exit_ticket, predict, progress, put_in_order, recorded\n"
    "lesson = begin('00_start_here')",
    # and a first container
    "%mdock run demo -- /bin/ls /",
    # the strip of another lesson
    "lesson = begin('m2_1a_fork')\nfrom udock_lab.lesson import export\nprogress()",
    # containers: one that goes well, one that fails, one that a signal ends
    "%mdock run demo -- /bin/sh -c 'echo out; echo err >&2; exit 42'",
    "%mdock run demo -- /bin/nosuch",
    "%mdock run demo -- /bin/sh -c 'kill -9 $$'",
    "%mdock ps",
    "%mdock images",
    "%mdock inspect c1",
    "%mdock doctor",
    "%mdock --help",
    # the sandbox: five writers, who made which call, what went wrong
    "%%sandbox --trace\n"
    "import os\n"
    "for number in range(5):\n"
    "    if os.fork() == 0:\n"
    "        os.write(1 + number % 2, b'child\\n'); os._exit(number)\n"
    "for number in range(5):\n"
    "    os.wait()\n"
    "os.write(1, b'parent\\n')",
    "%%sandbox\nraise ValueError('a fault of its own')",
    "recorded('m2_2_chroot_root')",
    # questions, before and after
    "lines = predict('lines', '`print(os.getpid())` stands after `os.fork()`. How many lines appear?',\n"
    "    {'one': 'only the parent', 'two': 'both return', 'none': 'nobody prints'})",
    "late = predict('late', 'Which of them?', ['this one', 'the other'])\nlate.answer('the other')\nlate.settle('this one')",
    "ticket = exit_ticket(('summaries', 'How many summaries?'), ('copy', 'Whose copy is it?'))\n"
    "ticket.answer('nothing', '8')",
    "task = put_in_order('contract', ['import os', 'pid = os.fork()', \"os.write(1, b'parent\\\\n')\",\n"
    "    \"if pid == 0:\\n    os.write(1, b'child\\\\n'); os._exit(0)\", 'if pid: os.waitpid(pid, 0)'],\n"
    "    goal='it prints child, then parent', expect='child\\nparent\\n')\n"
    "task.try_order(0, 2, 1, 3, 4)",
    # live panels
    "from udock_lab import containers_panel, process_tree, run_panel, status_decoder\nstatus_decoder()",
    "run_panel()",
    "%mdock run -d demo -- /bin/sleep 60\ncontainers_panel()",
    "process_tree()",
    "lesson.terminal_task('stop', until='stopped')",
    # experiments
    "lesson.race('no lock', 'lock before reading', processes=3)\nlesson.kill_repeatedly('truncate', 'rename', times=5)\n"
    "lesson.time_searches(10, 100)\nlesson.source('race')",
    # an exercise, checked
    "from udock_lab.grading import check\n"
    "def launch(argv):\n"
    "    pid = os.fork()\n"
    "    if pid == 0:\n"
    "        os.execv(argv[0], argv)\n"
    "    return os.waitpid(pid, 0)[1]\n"
    "check('m2_1_process_creation', launch)",
    "lesson.end()",
)
