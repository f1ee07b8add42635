"""A form for ``mdock run`` that always says which line and which Python call it amounts to."""

from __future__ import annotations

import codecs
import os
import shlex
import time
from collections.abc import Callable, Mapping
from typing import Any

from udock_lab.commands import COMMANDS, Context
from udock_lab.commands.parsing import parse, split_words
from udock_lab.commands.results import Images
from udock_lab.commands.running import spec_of
from udock_lab.display.html.runs import run_html
from udock_lab.display.markup import Markup, attributes, bare, html, joined, verbatim
from udock_lab.display.text.runs import run_text
from udock_lab.errors import MdockError, UsageError
from udock_lab.model import ContainerSpec, RunResult
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.runio import RunIO
from udock_lab.runtime.state.home import Home
from udock_lab.text.terminal import printable
from udock_lab.widgets.controls import button, checkbox, field, problem, select, status
from udock_lab.widgets.panel import Panel, chosen

__all__ = ["RunForm", "RunPanel", "magic_line", "python_call", "run_panel"]

_SHOWN = 64 * 1024  # characters of output in the panel
_PAUSE = 0.1  # seconds between two pictures of a running output


class RunForm:
    """What is typed into the form, as it is typed."""

    def __init__(self, image: str = "", program: str = "/bin/sh -c 'echo hello; exit 42'") -> None:
        self.image = image
        self.program = program
        self.variables: list[list[str]] = []
        self.memory = self.cpu = self.files = ""
        self.detach = False

    def words(self) -> list[str]:
        """Return the words of ``mdock run``; raise UsageError where the program's line cannot be split."""
        words = ["run"] + (["-d"] if self.detach else [])
        for name, value in self.variables:
            if name or value:
                words += ["-e", f"{name}={value}"]
        for option, given in (("--mem", self.memory), ("--cpu", self.cpu), ("--files", self.files)):
            if given.strip():
                words += [option, given.strip()]
        program = split_words(self.program)
        return [*words, self.image, *(["--", *program] if program else [])]

    def spec(self) -> ContainerSpec:
        """Return what the words ask for, read by the command's own parser: the same sentences for the same mistakes."""
        words = self.words()
        if any(len(word.splitlines()) > 1 for word in words):
            raise UsageError(
                "A value has a line break in it, and a %mdock line ends there.",
                f"Take it out, or put the program into a cell of its own: %%mdock run {self.image or 'demo'}",
            )
        args = parse(COMMANDS["run"], words[1:])
        assert not isinstance(args, str)  # no field of the form is an option
        return spec_of(args, _cell())


def _cell() -> Context:
    """Return the face that a notebook's cell is: no terminal, no person who types."""

    def nowhere(*_: object) -> None:
        """Say nothing: a form that is only read has nothing to say."""

    return Context(Runtime, nowhere, nowhere, environ=os.environ, in_cell=True)


def magic_line(words: list[str]) -> str:
    """Return the words as a line of ``%mdock``, quoted as a shell wants them."""
    return f"%mdock {shlex.join(words)}"


def python_call(spec: ContainerSpec, home: str = "") -> str:
    """Return the Python call that runs this spec, to be pasted into a cell.

    ``home``: one that is not ``$MDOCK_HOME``.
    """
    given = [repr(spec.image), repr(list(spec.argv))]
    if spec.env:
        given.append(f"env={dict(spec.env)!r}")
    limits = (("memory", spec.limits.memory), ("cpu", spec.limits.cpu), ("files", spec.limits.files))
    given += [f"{name}={value}" for name, value in limits if value is not None]
    if spec.detach:
        given.append("detach=True")
    return f"from udock_lab import Runtime\nRuntime({repr(home) if home else ''}).run({', '.join(given)})"


class RunPanel(Panel):
    """Fields, the line, the call, a Run button, the output as it comes, and how it ended."""

    label = "run a container"
    interval = 0.5

    def __init__(self, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime()
        self.form = RunForm()
        self.images: list[str] = []
        self.output = _Output()
        self.result: RunResult | None = None
        self.running = False
        self.id = ""  # of the container that runs
        self.ended_badly = ""
        super().__init__()
        self.refresh()

    # --- what a person does

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {
            "image": lambda value: setattr(self.form, "image", str(value[1])),
            "program": lambda value: setattr(self.form, "program", str(value[1])),
            "memory": lambda value: setattr(self.form, "memory", str(value[1])),
            "cpu": lambda value: setattr(self.form, "cpu", str(value[1])),
            "files": lambda value: setattr(self.form, "files", str(value[1])),
            "detach": lambda value: setattr(self.form, "detach", bool(value[1])),
            "name": lambda value: self._set_variable(0, value),
            "value": lambda value: self._set_variable(1, value),
            "add": lambda _: self.form.variables.append(["", ""]),
            "drop": self._drop_variable,
            "run": self._run,
            "stop": self._stop,
        }

    def _set_variable(self, place: int, value: Any) -> None:
        row, text = int(value[0]), str(value[1])
        if row < len(self.form.variables):  # else it was taken away meanwhile
            self.form.variables[row][place] = text

    def _drop_variable(self, row: Any) -> None:
        del self.form.variables[int(row) : int(row) + 1]

    def _run(self, _: Any) -> None:
        if self.running:
            return
        try:
            spec = self.form.spec()
        except MdockError:
            return  # the page says why
        self.running, self.id, self.result, self.ended_badly = True, "", None, ""
        self.output = _Output()
        self.in_background(lambda: self._attend(spec))

    def _attend(self, spec: ContainerSpec) -> None:
        """Run it in a thread, showing what it writes."""
        shown = time.monotonic()

        def take(stream: str, data: bytes) -> None:
            nonlocal shown
            self.output.write(stream, data)
            if time.monotonic() - shown > _PAUSE:  # what comes sooner is shown by the clock, or at the end
                shown = time.monotonic()
                self.draw()

        def started(container_id: str) -> None:
            self.id = container_id
            self.draw()

        try:
            flows = RunIO(on_output=take, on_note=self.output.note, on_start=started)
            self.result = self.runtime.run(spec, flows)
        except MdockError as error:
            self.ended_badly = str(error)
        finally:
            self.output.finish()
            self.running = False

    def _stop(self, _: Any) -> None:
        name = self.id

        def work() -> None:
            try:
                self.runtime.stop(name)
            except MdockError as error:
                self.ended_badly = str(error)

        if name:
            self.in_background(work)

    # --- how it shows

    def look(self) -> None:
        try:
            images = [image.name for image in self.runtime.images()]
        except MdockError as error:
            images, self.ended_badly = [], str(error)
        with self.lock:
            self.images = images
            if self.form.image not in images:
                self.form.image = "demo" if "demo" in images else images[0] if images else ""

    def page(self) -> Markup:
        return self._fields() + self._amounts_to() + self._outcome()

    def _fields(self) -> Markup:
        form = self.form
        return html(
            '<div class="bar">{}{}</div><div>{}</div><div class="bar">{}{}{}{}{}</div>',
            select("image", "image", form.image, self.images),
            field("program and its words", "program", form.program, wide=True),
            joined(_variable(str(row), name, value) for row, (name, value) in enumerate(form.variables)),
            button("Add a variable", "add"),
            field("memory, each process", "memory", form.memory, size=10, hint="64M"),
            field("processor, seconds", "cpu", form.cpu, size=8, hint="2"),
            field("open files", "files", form.files, size=8, hint="64"),
            checkbox("in the background", "detach", checked=form.detach),
        )

    def _amounts_to(self) -> Markup:
        trouble, lines = self._lines()
        can_run = not trouble and not self.running
        press = button("Run", "run", kind="main", usable=can_run)
        if self.running and self.id:
            press += button("Stop", "stop", label=f"Stop {self.id}", extra=attributes(data_key="stop"))
        said = f"{self.id or 'A container'} is running." if self.running else ""
        return html(
            '<div class="amounts">{}{}</div><div class="bar">{}{}</div>',
            *(problem(trouble), self._listing(lines), press, status(said)),
        )

    def _lines(self) -> tuple[str, tuple[str, str] | None]:
        """Return what is wrong with the form, or the two ways to type it."""
        if not self.images:
            return f"There is {Images.empty.replace('with: ', 'with: %')}", None
        try:
            spec = self.form.spec()
        except MdockError as error:
            return str(error), None
        home = self.runtime.home.path
        return "", (magic_line(self.form.words()), python_call(spec, "" if home == Home().path else home))

    def _listing(self, lines: tuple[str, str] | None) -> Markup | str:
        if lines is None:
            return ""
        return joined(
            html(
                '<div data-key="{}"><small>{}</small><pre class="shell" tabindex="0" aria-label="{}">{}</pre></div>',
                *(title, title, title, verbatim(line)),
            )
            for title, line in zip(("in a cell", "in Python"), lines, strict=True)
        )

    def _outcome(self) -> Markup:
        written = self.output.html()
        pre = html('<pre class="output" tabindex="0" aria-label="output" data-key="output">{}</pre>', written)
        return html(
            '{}{}<div class="ended">{}</div>',
            *(pre if written else "", problem(self.ended_badly, "ended"), self._card()),
        )

    def _card(self) -> Markup | str:
        return bare(run_html(self.result)) if self.result is not None else ""

    def text(self) -> str:
        trouble, lines = self._lines()
        shown = [trouble] if lines is None else [lines[0], *lines[1].splitlines()]
        if self.result is not None:
            shown += run_text(self.result).splitlines()
        return "\n".join(["Run a container:", *(f"  {line}" for part in shown for line in part.splitlines())])

    def picture(self) -> Markup:
        trouble, lines = self._lines()
        return html("<p>Run a container:</p>{}{}{}", problem(trouble), self._listing(lines), self._card())


def _variable(row: str, name: str, value: str) -> Markup:
    which = int(row) + 1
    return html(
        '<div class="bar" role="group" aria-label="variable {}">{}{}{}</div>',
        which,
        field("variable", "name", name, of=row, hint="GREETING"),
        field("its value", "value", value, of=row, size=24, hint="hello"),
        button("Take away", "drop", row, label=f"Take variable {which} away"),
    )


class _Output:
    """What a program wrote, in order, up to a cap; stderr marked."""

    def __init__(self) -> None:
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        self._parts: list[tuple[str, str]] = []
        self._room = _SHOWN
        self._over = False

    def write(self, stream: str, data: bytes) -> None:
        """Take what came."""
        self._add(stream, self._decoders[stream].decode(data))

    def note(self, text: str) -> None:
        """Show a word of mdock's own."""
        self._add("stderr", "".join(f"[mdock] {line}\n" for line in text.splitlines()))

    def finish(self) -> None:
        """Show what is left: half a character at the end is shown as what it is."""
        for stream, decoder in self._decoders.items():
            self._add(stream, decoder.decode(b"", final=True))

    def _add(self, stream: str, text: str) -> None:
        shown = text[: self._room]
        self._over = self._over or len(shown) < len(text)
        self._room -= len(shown)
        if not shown:
            return
        if self._parts and self._parts[-1][0] == stream:
            shown = self._parts.pop()[1] + shown
        self._parts.append((stream, shown))

    def html(self) -> Markup:
        """Show what came; no character of it steers anything."""
        shown = joined(
            html('<span class="err">{}</span>', _visible(text)) if stream == "stderr" else _visible(text)
            for stream, text in list(self._parts)
        )
        over = "\n... the panel shows no more; its log has everything: %mdock logs"
        return shown + verbatim(over if self._over else "")


def _visible(text: str) -> Markup:
    return verbatim("\n".join(printable(line.replace("\t", "    ")) for line in text.split("\n")))


def run_panel(runtime: Runtime | None = None) -> RunPanel:
    """Return a form that runs containers, and shows the ``%mdock`` line and the Python call that do the same.

    ``runtime``: where; by default the home that ``%mdock`` uses.
    """
    return RunPanel(chosen(runtime))
