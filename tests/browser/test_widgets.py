"""Every widget in a real JupyterLab: clicked, typed into and worked by keys alone, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from notebook_page import Lab, NotebookPage, run_notebook

CELLS = (
    "%load_ext udock_lab\n"
    "from udock_lab import containers_panel, process_tree, run_panel, status_decoder\n"
    "from udock_lab.lesson import predict\n"
    "%mdock demo\n"
    "status_decoder()",
    "run_panel()",
    "%mdock run -d demo -- /bin/sh -c 'echo one; echo two >&2; sleep 300'\ncontainers_panel()",
    "process_tree()",
    'lines = predict("lines", "`print(os.getpid())` stands after `os.fork()`. How many lines appear?",\n'
    '    {"none": "...", "one": "...", "two": "...", "it depends": "..."})',
)
STATUS, RUN, CONTAINERS, TREE, QUESTION = range(5)
ASK = """code => new Promise(resolve => { let text = '';
    const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
    const asked = kernel.requestExecute({code, store_history: false});
    asked.onIOPub = message => { text += message.content.text ?? message.content.evalue ?? ''; window.heard = text; };
    asked.done.then(() => resolve(text.trim())); })"""
RUN_LAST = f"""async () => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {TREE};
    await window.jupyterapp.commands.execute('notebook:run-cell'); }}"""
ACTIVE = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"


class Panels(NotebookPage):
    """The notebook above, and its kernel."""

    theme = ""

    def panel(self, which: int) -> Any:
        """The panel under a cell."""
        return self.page.locator(".jp-Cell").nth(which).locator(".panel")

    def button(self, which: int, name: str) -> Any:
        """A button by its accessible name, as a screen reader finds it."""
        return self.panel(which).get_by_role("button", name=name, exact=True)

    def shows(self, which: int, words: str, seconds: float = 10) -> None:
        """Wait until the panel says so."""
        self.panel(which).get_by_text(re.compile(words)).first.wait_for(timeout=seconds * 1000)

    def expect(self, node: Any) -> Any:
        """Playwright's assertions on a part of the page, which wait for what they say."""
        from playwright.sync_api import expect

        return expect(node)

    def lacks(self, which: int, words: str) -> None:
        """Wait until the panel says so no more."""
        self.panel(which).get_by_text(re.compile(words)).first.wait_for(state="detached", timeout=10_000)

    def ask(self, code: str) -> str:
        """What the kernel prints."""
        return self.page.evaluate(ASK, code)  # type: ignore[no-any-return]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module", params=["light", pytest.param("dark", marks=pytest.mark.soak)])
def panels(request: pytest.FixtureRequest, lab: Lab, lab_page: Any) -> Iterator[Panels]:
    path = lab.put(f"widgets-{request.param}.ipynb", *CELLS)
    opened = run_notebook(lab_page, path, request.param)
    panels = Panels(opened.page, opened.complaints)
    panels.theme = request.param
    yield panels
    panels.ask("from udock_lab import Runtime\nfor c in Runtime().ps():\n    Runtime().rm(c.id, force=True)")
    panels.close()
    lab_page.wait_for_timeout(200)
    assert panels.complaints == []


@pytest.fixture(autouse=True)
def _clean(panels: Panels) -> Iterator[None]:
    """No test leaves an error in a cell or in the browser's console."""
    yield
    assert panels.errors == []
    assert panels.complaints == []


def _photograph(panels: Panels, which: int, name: str) -> None:
    assert panels.photograph(f"widget-{name}-{panels.theme}", panels.panel(which)).stat().st_size > 5_000


def test_status_decoder_follows_examples_typing_and_arrow_keys(panels: Panels) -> None:
    panels.shows(STATUS, "wait status 10752: exited with code 42")
    panels.button(STATUS, "SIGKILL").click()
    panels.shows(STATUS, "wait status 9: ended by SIGKILL")
    number = panels.panel(STATUS).get_by_label("as a number")
    number.fill("0x8b")
    panels.shows(STATUS, "wait status 139: ended by SIGSEGV .* core dumped")
    number.fill("70000")
    panels.shows(STATUS, "'70000' is no wait status")
    assert number.input_value() == "70000"  # what was typed stays, to be mended
    active = panels.page.evaluate(ACTIVE)
    slider = panels.panel(STATUS).get_by_role("slider", name="wait status, 0 to 65535")
    slider.focus()
    panels.press("Home", "ArrowUp", "ArrowRight")
    panels.shows(STATUS, "wait status 2: ended by SIGINT")
    assert slider.get_attribute("aria-valuetext") == "2: ended by SIGINT (signal 2)"
    panels.expect(number).to_have_value("2")  # once the panel has heard that nothing more is to come
    assert panels.page.evaluate(ACTIVE) == active  # the arrow keys were the slider's, not the notebook's
    number.fill("10752")
    panels.shows(STATUS, "wait status 10752")
    _photograph(panels, STATUS, "status")


def test_run_panel_says_its_line_runs_it_and_shows_output_and_end(panels: Panels) -> None:
    program = panels.panel(RUN).get_by_label("program and its words")
    program.fill("/bin/sh -c 'echo hello $WHO; exit 3")
    panels.shows(RUN, "the line cannot be split into words: no closing quotation")
    assert panels.button(RUN, "Run").get_attribute("aria-disabled") == "true"
    program.fill("/bin/sh -c 'echo hello $WHO; echo oh >&2; exit 3'")
    panels.button(RUN, "Add a variable").click()
    panels.panel(RUN).get_by_label("variable", exact=True).fill("WHO")
    panels.panel(RUN).get_by_label("its value").fill("you & me")
    panels.panel(RUN).get_by_label("memory").fill("64M")
    line = "%mdock run -e 'WHO=you & me' --mem 64M demo -- /bin/sh -c 'echo hello $WHO; echo oh >&2; exit 3'"
    panels.panel(RUN).get_by_label("in a cell").get_by_text(line).wait_for()
    call = panels.panel(RUN).get_by_label("in Python").inner_text()
    assert "env={'WHO': 'you & me'}, memory=67108864)" in call
    program.focus()
    panels.press("Enter")  # in a field, Enter runs
    panels.shows(RUN, "hello you & me")
    panels.shows(RUN, "exited with code 3")
    _photograph(panels, RUN, "run")
    assert panels.ask(call.replace("Runtime()", "done = Runtime()") + "\nprint(done.exit_code)") == "3"


def test_a_run_that_writes_without_end_is_stopped_from_its_panel_while_a_cell_runs(panels: Panels) -> None:
    panels.panel(RUN).get_by_label("program and its words").fill("/bin/sh -c 'while echo tick; do sleep 0.1; done'")
    panels.button(RUN, "Run").click()
    panels.shows(RUN, r"c\d+ is running")
    panels.page.evaluate(
        "([ask, code]) => { window.heard = ''; window.said = eval(ask)(code); }", [ASK, _WAIT_FOR_NONE_RUNNING]
    )
    panels.page.wait_for_function("() => window.heard?.includes('waiting')", timeout=10_000)
    output = panels.panel(RUN).get_by_label("output", exact=True)
    before = output.inner_text().count("tick")  # what the panel shows next, it shows while the cell runs
    panels.shows(RUN, f"(tick\\s+){{{before + 3},}}")
    panels.panel(RUN).get_by_role("button", name=re.compile(r"Stop c\d+")).press("Space")
    panels.shows(RUN, "ended by SIGTERM", seconds=20)
    assert panels.page.evaluate("() => window.said") == "waiting\nstopped while this cell ran"


def test_containers_panel_shows_logs_stops_and_removes_after_a_second_word(panels: Panels) -> None:
    name = panels.ask(_FIRST_RUNNING)
    panels.button(CONTAINERS, f"Logs of {name}").click()
    log = panels.panel(CONTAINERS).get_by_label(f"log of {name}")
    log.get_by_text("two").wait_for()
    panels.button(CONTAINERS, f"Remove {name}").click()
    panels.button(CONTAINERS, f"Keep {name}").wait_for()
    _photograph(panels, CONTAINERS, "containers")
    panels.press("Escape")
    panels.lacks(CONTAINERS, "go with it")
    panels.button(CONTAINERS, f"Remove {name}").press("Enter")
    panels.button(CONTAINERS, f"Keep {name}").wait_for()
    panels.press("Tab", "Enter")  # the question has the focus on Keep; the next button removes
    panels.shows(CONTAINERS, f"Container '{name}' is running")
    panels.button(CONTAINERS, f"Stop {name}").press("Space")
    panels.panel(CONTAINERS).locator("tr", has_text=name).get_by_text("stopped").wait_for()
    panels.button(CONTAINERS, f"Remove {name}").click()
    panels.button(CONTAINERS, f"Yes, remove {name}").click()
    panels.shows(CONTAINERS, f"{name} is removed")
    assert panels.page.evaluate("() => document.activeElement.closest('.panel') !== null")  # the keyboard is not lost
    assert name not in panels.ask(_IDS)


def test_process_tree_follows_the_machine_until_paused(panels: Panels) -> None:
    panels.shows(TREE, "this notebook's Python")
    name = panels.ask(_START)
    panels.shows(TREE, f"container {name}")
    _photograph(panels, TREE, "tree")
    panels.button(TREE, "Pause").press("Space")
    panels.shows(TREE, "Paused")
    panels.ask(f"Runtime().stop({name!r})")
    panels.page.wait_for_timeout(1500)
    panels.shows(TREE, f"container {name}")
    panels.button(TREE, "Go on").click()
    panels.lacks(TREE, f"container {name}")


def test_question_is_answered_by_arrow_keys_and_stays_locked(panels: Panels) -> None:
    panels.button(QUESTION, "Lock").click()
    panels.shows(QUESTION, "Nothing is chosen yet")
    first = panels.panel(QUESTION).get_by_role("radio", name="none")
    first.focus()
    panels.press("Space", "ArrowDown", "ArrowDown")
    assert panels.panel(QUESTION).get_by_role("radio", name="two").is_checked()
    panels.press("Tab")
    panels.press("Enter" if panels.theme == "light" else "Space")
    panels.shows(QUESTION, "Your answer is locked: two")
    assert panels.panel(QUESTION).get_by_role("radio", name="one", exact=True).is_disabled()
    assert panels.ask("print(lines.locked)") == "two"
    _photograph(panels, QUESTION, "question")


def test_a_panel_that_leaves_the_page_leaves_no_task_behind(panels: Panels) -> None:
    assert panels.ask(_TASKS) == "3"  # run, containers, tree
    panels.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    panels.page.locator(".panel").first.wait_for(state="detached")
    panels.page.wait_for_timeout(300)
    assert panels.ask(_TASKS) == "0"
    panels.page.evaluate(RUN_LAST)  # and one is alive when the kernel is shut down: its log must not complain
    panels.shows(TREE, "this notebook's Python")


_FIRST_RUNNING = "from udock_lab import Runtime\nprint(Runtime().ps(running=True)[0].id)"
_WAIT_FOR_NONE_RUNNING = """
import time
from udock_lab import Runtime
end = time.monotonic() + 15
print("waiting", flush=True)
while (busy := [c for c in Runtime().ps(running=True) if "tick" in c.command]):
    if time.monotonic() > end:
        break
    time.sleep(0.05)
print("still running" if busy else "stopped while this cell ran")
"""
_IDS = "from udock_lab import Runtime\nprint([c.id for c in Runtime().ps()])"
_START = (
    "from udock_lab import Runtime\nprint(Runtime().run('demo', ['/bin/sh', '-c', 'sleep 300 & wait'], detach=True).id)"
)
_TASKS = "import asyncio\nprint(sum(task.get_name() == 'udock-panel' for task in asyncio.all_tasks()))"
