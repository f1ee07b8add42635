"""Panels without a browser: what they say, what an action changes, and that the line they show is the run they make."""

from __future__ import annotations

import ast
import asyncio
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from waiting import until

from udock_lab import ContainerSpec, Limits, Runtime, UsageError
from udock_lab.commands import COMMANDS, Context, dispatch
from udock_lab.commands.parsing import parse, split_words
from udock_lab.commands.running import spec_of
from udock_lab.lesson.predictions import Prediction
from udock_lab.model.value import replace
from udock_lab.widgets import clock as clocks
from udock_lab.widgets import containers_panel, process_tree, question, run_panel, status_decoder
from udock_lab.widgets.clock import Clock
from udock_lab.widgets.panel import Panel
from udock_lab.widgets.running import RunForm, magic_line, python_call

ROOT = Path(__file__).resolve().parents[2]


def act(panel: Panel, do: str, value: object = "") -> None:
    """As the browser does it."""
    panel._handle_custom_msg({"do": do, "value": value, "view": "v"}, [])


def words_of(html: str) -> str:
    """What a reader of the HTML reads."""
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_style)).split())


# --- the static forms


@pytest.fixture
def made(runtime: Runtime) -> dict[str, Panel]:
    """Every panel, with something to show."""
    runtime.run("demo", ["/bin/sh", "-c", "echo <b>; exit 42"])
    asked = Prediction("lines", "How many <i>lines</i>?", {"one": "...", "two & more": "..."})
    return {
        "status": status_decoder(139),
        "tree": process_tree(runtime=runtime),
        "containers": containers_panel(runtime),
        "run": run_panel(runtime),
        "question": question(asked),
    }


def bundle_of(panel: Panel) -> dict[str, str]:
    found: Any = panel._repr_mimebundle_()
    return found[0] if isinstance(found, tuple) else found


def test_every_panel_has_a_text_and_an_html_form_with_the_same_words(made: dict[str, Panel]) -> None:
    for name, panel in made.items():
        forms = bundle_of(panel)
        said = words_of(forms["text/html"])
        for word in re.findall(r"[a-z_]{3,}", forms["text/plain"]):
            assert word in said, f"{name}: {word!r} is missing in the HTML"
        assert str(panel) == repr(panel) == forms["text/plain"]
        assert "aria-label" in forms["text/html"]


def test_the_text_form_holds_no_pid_and_no_time(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/true"])
    found = runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    text = f"{process_tree(runtime=runtime)}\n{containers_panel(runtime)}"
    assert str(found.pid) not in text
    assert re.search(r"\d\d:\d\d", text) is None
    assert "container c2  /bin/sleep 60" in text
    assert "forker  forks them" in text


def test_where_widgets_are_off_only_the_static_forms_are_shown(
    made: dict[str, Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = "application/vnd.jupyter.widget-view+json"
    assert all(view in bundle_of(panel) for panel in made.values())
    monkeypatch.setenv("UDOCK_WIDGETS", "off")
    assert all(set(bundle_of(panel)) == {"text/plain", "text/html"} for panel in made.values())


def test_what_a_learner_named_or_wrote_is_escaped_in_every_form(made: dict[str, Panel]) -> None:
    for panel in made.values():
        assert "<b>;" not in panel._html + bundle_of(panel)["text/html"]
        assert "<i>lines" not in panel._html + bundle_of(panel)["text/html"]


def test_every_control_has_a_name_that_a_screen_reader_can_read(made: dict[str, Panel]) -> None:
    act(made["run"], "add")
    act(made["containers"], "ask", "c1")
    for panel in made.values():
        for button in re.findall(r"<button.*?</button>", panel._html):
            assert words_of(button) or "aria-label" in button
        labelled = "".join(re.findall(r"<label.*?</label>", panel._html))
        for control in re.findall(r"<(?:input|select)[^>]*>", panel._html):
            assert control in labelled, control


def test_only_the_room_widgets_imports_widget_libraries() -> None:
    users = {
        path.parent.name
        for path in (ROOT / "udock_lab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in ("ipywidgets", "anywidget", "traitlets")
    }
    assert users == {"widgets"}


def test_the_facade_hands_out_panels_without_loading_them_before() -> None:
    code = "import udock_lab, sys; a = 'anywidget' in sys.modules; udock_lab.status_decoder; print(a, 'anywidget' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


# --- status decoder


@pytest.mark.parametrize(
    ("typed", "raw"), [("9", 9), (" 0x2a00 ", 10752), ("0b1111111", 127), ("0b00101010 00000000", 10752)]
)
def test_a_wait_status_may_be_typed_in_any_base(typed: str, raw: int) -> None:
    panel = status_decoder()
    act(panel, "type", ["", typed])
    assert panel.raw == raw
    assert f'value="{raw}"' in panel._html  # the slider follows


@pytest.mark.parametrize("typed", ["", "abc", "-1", "65536", "1e3", "9" * 5000])
def test_what_is_no_wait_status_is_said_beside_the_field_and_changes_nothing(typed: str) -> None:
    panel = status_decoder(9)
    act(panel, "type", ["", typed])
    assert panel.raw == 9
    assert "is no wait status" in panel._html


@pytest.mark.parametrize("raw", [-1, 65536, "9", None, True, pytest.param(10**5000, id="huge"), "half \ud800", [9]])
def test_status_decoder_refuses_what_waitpid_never_hands_back(raw: Any) -> None:
    with pytest.raises(UsageError, match="is no wait status"):
        status_decoder(raw)


@pytest.mark.parametrize(
    "panel", [containers_panel, run_panel, lambda runtime: process_tree(live=False, runtime=runtime)]
)
@pytest.mark.parametrize("runtime", ["~/.mdock", 1, True, object(), Runtime])
def test_a_panel_refuses_what_is_no_runtime(panel: Any, runtime: Any) -> None:
    with pytest.raises(UsageError, match="runtime must be a Runtime"):
        panel(runtime)


# --- run panel: the line is the run

SPLITS_A_LINE = "\0\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=SPLITS_A_LINE), max_size=12)
NAMES = WORDS.filter(lambda name: name and "=" not in name)
LIMIT = st.none() | st.integers(1, 2**31 - 1)


@given(
    argv=st.lists(WORDS, min_size=1, max_size=4),
    env=st.dictionaries(NAMES, WORDS, max_size=3),
    memory=LIMIT,
    cpu=LIMIT,
    files=LIMIT,
    detach=st.booleans(),
)
@example(argv=["echo", "what?"], env={}, memory=None, cpu=None, files=None, detach=False)
@example(argv=["a\\"], env={"-x": "'"}, memory=None, cpu=None, files=None, detach=False)
@example(argv=["-h", "--", "!ls", "$HOME", "{x}"], env={"A": "=b"}, memory=1, cpu=None, files=None, detach=True)
@example(argv=["#", "%mdock", "'''", '"""'], env={}, memory=None, cpu=1, files=1, detach=False)
@settings(max_examples=300)
def test_line_and_call_of_the_form_mean_what_was_typed(
    argv: list[str], env: dict[str, str], memory: int | None, cpu: int | None, files: int | None, detach: bool
) -> None:
    form = RunForm("demo", shlex.join(argv))
    form.variables = [[name, value] for name, value in env.items()]
    form.memory, form.cpu, form.files = ("" if limit is None else str(limit) for limit in (memory, cpu, files))
    form.detach = detach
    limits = Limits(memory=memory, cpu=cpu, files=files)
    meant = ContainerSpec(image="demo", argv=tuple(argv), env=tuple(env.items()), limits=limits, detach=detach)
    in_a_cell = replace(meant, guard=True)  # where the call finds itself in a notebook, it is guarded as well
    assert form.spec() == _pasted_line(magic_line(form.words())) == in_a_cell
    assert _pasted_call(python_call(meant)) == meant


def _pasted_line(line: str) -> ContainerSpec:
    """The line as IPython takes it from a cell, and then as %mdock does."""
    call = ast.parse(TransformerManager().transform_cell(line)).body[0].value  # type: ignore[attr-defined]
    assert ast.unparse(call.func) == "get_ipython().run_line_magic"
    name, words = (ast.literal_eval(argument) for argument in call.args)
    assert name == "mdock"
    command, *rest = split_words(words)
    assert command == "run"
    return spec_of(parse(COMMANDS["run"], rest), _in_a_cell())  # type: ignore[arg-type]


def _in_a_cell() -> Context:
    return Context(Runtime, lambda *_: None, lambda _: None, environ={}, in_cell=True)


def _pasted_call(code: str) -> ContainerSpec:
    """The arguments that ``Runtime.run`` gets from the call."""
    call = ast.parse(code).body[-1].value  # type: ignore[attr-defined]
    image, argv = (ast.literal_eval(argument) for argument in call.args)
    more = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    limits = Limits(**{name: more.get(name) for name in ("memory", "cpu", "files")})
    env = tuple(more.get("env", {}).items())
    return ContainerSpec(image=image, argv=tuple(argv), env=env, limits=limits, detach=more.get("detach", False))


@pytest.mark.parametrize(
    ("field", "typed"),
    [("memory", "much"), ("memory", "-5"), ("cpu", "0.5"), ("files", "0"), ("program", "'"), ("program", "")],
)
def test_bad_input_gets_the_sentence_of_the_command_itself(runtime: Runtime, field: str, typed: str) -> None:
    panel = run_panel(runtime)
    act(panel, field, ["", typed])
    option = {"memory": "--mem", "cpu": "--cpu", "files": "--files"}.get(field)
    line = f"run demo -- {typed}" if option is None else f"run {option} '{typed}' demo -- /bin/true"
    with pytest.raises(UsageError) as refused:
        dispatch(split_words(line), _in_a_cell())
    assert " ".join(str(refused.value).split()) in words_of(panel._html)
    assert 'aria-disabled="true">Run' in panel._html
    act(panel, "run")
    assert not panel.running


def test_a_variable_without_a_name_gets_the_sentence_of_the_command(runtime: Runtime) -> None:
    panel = run_panel(runtime)
    act(panel, "add")
    act(panel, "value", ["0", "hello"])
    assert "has no name before the" in words_of(panel._html)
    act(panel, "drop", "0")
    act(panel, "drop", "0")  # pressed twice
    assert "has no name" not in panel._html


def test_a_line_break_that_no_line_can_carry_is_refused_with_the_way_out(runtime: Runtime) -> None:
    panel = run_panel(runtime)
    act(panel, "program", ["", "/bin/echo 'a\u2028b'"])
    assert "has a line break in it" in panel._html
    assert "%%mdock run demo" in panel._html


def test_a_home_without_images_says_what_to_type(home: Path) -> None:
    assert "There is no image yet; make one with: %mdock demo" in str(run_panel())


def test_the_run_button_runs_shows_the_output_and_the_end(runtime: Runtime) -> None:
    panel = run_panel(runtime)
    act(panel, "program", ["", "/bin/sh -c 'printf \"caf\\303\\251 <x>\"; echo oh >&2; sleep 2; exit 42'"])
    act(panel, "run")
    assert panel.running  # the kernel is not kept waiting
    assert until(lambda: not panel.running and "exited with code 42" in panel._html)
    assert "café &lt;x&gt;" in panel._html
    assert '<span class="err">oh' in panel._html
    assert "exited with code 42" in str(panel)


def test_a_flood_of_output_is_capped_and_says_where_the_rest_is(runtime: Runtime) -> None:
    panel = run_panel(runtime)
    act(panel, "program", ["", "/bin/sh -c 'yes | head -c 300000'"])
    act(panel, "run")
    assert until(lambda: not panel.running and "the panel shows no more" in panel._html)
    assert len(panel._html) < 200_000


def test_a_program_that_cannot_start_is_explained_in_the_panel(runtime: Runtime) -> None:
    panel = run_panel(runtime)
    act(panel, "program", ["", "/bin/nope"])
    act(panel, "run")
    assert until(lambda: not panel.running and "never started (exit code 127)" in panel._html)


# --- containers panel


def test_no_containers_yet_says_what_to_type(runtime: Runtime) -> None:
    panel = containers_panel(runtime)
    assert "No containers yet. Start one: %mdock run -d demo -- /bin/sleep 60" in words_of(panel._html)
    assert str(panel) in words_of(bundle_of(panel)["text/html"])


def test_a_long_stop_keeps_nobody_waiting_and_its_row_says_so(runtime: Runtime) -> None:
    stubborn = runtime.run("demo", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], detach=True)
    panel = containers_panel(runtime)
    act(panel, "stop", stubborn.id)
    act(panel, "stop", stubborn.id)  # pressed twice
    assert "Stopping" in panel._html
    act(panel, "logs", stubborn.id)  # other buttons work meanwhile
    assert "nothing was written yet" in panel._html
    assert until(lambda: "killed" in words_of(panel._html), seconds=15)
    assert "Stopping" not in panel._html


def test_removing_asks_first_and_a_refusal_stands_in_the_row(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    runtime.run("demo", ["/bin/true"])
    panel = containers_panel(runtime)
    act(panel, "ask", "c2")
    assert "Remove c2? Its record and its log go with it." in panel._html
    act(panel, "keep", "c2")
    assert [container.id for container in runtime.ps()] == ["c1", "c2"]
    act(panel, "ask", "c2")
    act(panel, "remove", "c2")
    assert until(lambda: "c2 is removed." in panel._html)
    act(panel, "remove", "c1")
    assert until(lambda: "is running" in panel._html)
    assert "mdock stop c1" in panel._html
    assert [container.id for container in runtime.ps()] == ["c1"]


def test_what_somebody_else_removed_leaves_the_panel_with_its_log_and_its_question(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/true"])
    panel = containers_panel(runtime)
    act(panel, "logs", "c1")
    act(panel, "ask", "c1")
    runtime.rm("c1")
    panel.refresh()
    assert "No containers yet" in panel._html
    act(panel, "logs", "c1")
    act(panel, "stop", "c1")
    assert until(lambda: not panel.stopping)


def test_a_home_that_cannot_be_read_is_said_in_every_panel_and_raises_nothing(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/true"])
    panels = [containers_panel(runtime), process_tree(runtime=runtime)]
    table = Path(runtime.home.path) / "containers.db"
    table.rename(f"{table}.aside")
    table.mkdir()
    try:
        for panel in panels:
            panel.refresh()
            assert "containers.db is a folder" in words_of(panel._html)
            assert 'role="alert"' in panel._html
            assert "containers.db is a folder" in str(panel)
    finally:
        table.rmdir()
    (Path(runtime.home.path) / "images.db").rename(table)  # lines that are no records of containers
    for panel in panels:
        panel.refresh()
        assert "alert" not in panel._html


# --- process tree


def test_the_tree_stands_still_while_paused(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    tree = process_tree(runtime=runtime)
    act(tree, "pause")
    runtime.stop("c1")
    tree.refresh()
    assert "container c1" in str(tree)
    act(tree, "pause")
    tree.refresh()
    assert "container c1" not in str(tree)


def test_a_zombie_is_named_in_the_tree(runtime: Runtime) -> None:
    def zombies() -> int:  # a browser of other tests may have some of its own
        return str(process_tree(runtime=runtime)).count("zombie")

    before = zombies()
    child = subprocess.Popen(["/bin/true"])
    assert until(lambda: zombies() == before + 1)
    child.wait()
    assert zombies() == before


# --- question


@pytest.fixture
def asked(home: Path) -> Prediction:
    return Prediction("lines", "How many lines?", {"one": "...", "two": "..."})


def test_a_question_locks_what_was_chosen_and_then_stays(asked: Prediction) -> None:
    panel = question(asked)
    act(panel, "lock")
    assert "Nothing is chosen yet" in panel._html
    act(panel, "choose", ["", "two"])
    act(panel, "lock")
    assert asked.locked == "two"
    assert panel._html.count(" disabled") == 2
    assert "Your answer is locked: two." in panel._html
    act(panel, "choose", ["", "one"])
    act(panel, "lock")
    assert asked.locked == "two"


def test_an_answer_after_the_run_is_told_to_compare_by_running_the_cell_again(asked: Prediction) -> None:
    panel = question(asked)
    asked.settle("two")
    act(panel, "choose", ["", "one"])
    act(panel, "lock")
    assert "run the cell that settles it again" in panel._html


def test_a_plain_call_locks_the_buttons_too_and_a_reset_opens_them(asked: Prediction) -> None:
    panel = question(asked)
    asked.answer("one")
    assert "Your answer is locked: one." in panel._html
    asked.reopen()
    assert "disabled" not in panel._html
    assert panel.chosen == ""


def test_a_reset_takes_the_choice_back_too(asked: Prediction) -> None:
    panel = question(asked)
    act(panel, "choose", ["", "one"])
    act(panel, "lock")
    asked.reopen()
    assert "checked" not in panel._html


def test_an_answer_that_is_none_of_the_choices_is_refused_in_place(asked: Prediction) -> None:
    panel = question(asked)
    act(panel, "choose", ["", "nine"])
    act(panel, "lock")
    assert "none of the choices" in panel._html
    assert asked.locked == ""


# --- how panels live


def test_the_browser_hears_only_of_what_has_changed(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/true"])
    panel = containers_panel(runtime)
    told: list[object] = []
    panel.observe(lambda change: told.append(change), "_html")
    panel.refresh()
    panel.refresh()
    assert told == []
    runtime.run("demo", ["/bin/true"])
    panel.refresh()
    assert len(told) == 1


def test_an_action_that_nobody_knows_changes_nothing(made: dict[str, Panel]) -> None:
    for panel in made.values():
        before = panel._html
        act(panel, "format_disk", "now")
        assert panel._html == before


def _ticks_of(do: Callable[[Clock], Any], seconds: float = 0.5) -> tuple[int, list[str]]:
    """How often a clock ticked while ``do`` was done to it, and the tasks left after that."""
    ticks: list[float] = []

    async def live() -> list[str]:
        clock = Clock(lambda: ticks.append(time.monotonic()), 0.02)
        done = do(clock)
        if done is not None:
            await done
        await asyncio.sleep(seconds)
        return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == clocks.TASK_NAME]

    with ThreadPoolExecutor(1) as pool:  # a thread without a loop: a browser of other tests may run one here
        left = pool.submit(asyncio.run, live()).result()
    return len(ticks), left


def test_a_clock_ticks_while_somebody_looks_and_ends_with_the_last_view() -> None:
    async def two_views(clock: Clock) -> None:
        clock.shown("one")
        clock.shown("two")
        clock.hidden("one")
        await asyncio.sleep(0.3)
        clock.hidden("two")

    ticks, left = _ticks_of(two_views)
    assert 3 < ticks < 20
    assert left == []


def test_a_browser_that_vanished_does_not_keep_a_clock_going(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "LEASE", 0.2)
    ticks, left = _ticks_of(lambda clock: clock.shown("one"), seconds=1.0)
    assert 0 < ticks < 15
    assert left == []


def test_a_clock_that_nobody_looks_at_never_ticks() -> None:
    assert _ticks_of(lambda _: None) == (0, [])


def test_a_clock_outlives_its_loop_without_a_word() -> None:
    kept: list[Clock] = []

    def keep(clock: Clock) -> None:
        kept.append(clock)

    _ticks_of(keep, seconds=0)
    kept[0].shown("one")
    kept[0].stop()
