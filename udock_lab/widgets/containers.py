"""``mdock ps``, live, with buttons for what one does next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import Any

from udock_lab.display.html import say, table
from udock_lab.display.text import PS_HEAD, ps_rows
from udock_lab.display.text import table as text_table
from udock_lab.errors import MdockError, NotFound
from udock_lab.model import Container
from udock_lab.runtime.engine import Runtime
from udock_lab.widgets.controls import button, problem, status
from udock_lab.widgets.panel import Panel, chosen

__all__ = ["ContainersPanel", "containers_panel"]

EMPTY = "No containers yet. Start one: %mdock run -d demo -- /bin/sleep 60"
_LOG_LINES = 200
_LOG_BYTES = 64 * 1024
_LASTING = ("CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "EXIT")  # what two runs of a lesson have in common
_COLUMNS = ("CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "PID", "UPTIME", "EXIT")


class ContainersPanel(Panel):
    """One row a container; Logs, Stop and Remove work while others run, and while a cell runs."""

    label = "containers"
    interval = 1.0

    def __init__(self, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime()
        self.found: list[Container] = []
        self.problem = ""
        self.said = ""
        self.problems: dict[str, str] = {}
        self.stopping: set[str] = set()
        self.asking: str | None = None  # whose removal waits for a second word
        self.logs: dict[str, str] = {}
        super().__init__()
        self.refresh()

    # --- what a person does

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {
            "logs": self._toggle_logs,
            "stop": self._stop,
            "ask": self._ask,
            "remove": self._remove,
            "keep": self._keep,
        }

    def _toggle_logs(self, name: str) -> None:
        self.problems.pop(name, None)
        if self.logs.pop(name, None) is None:
            self._attempt(name, lambda: self.logs.update({name: self._log_of(name)}))

    def _stop(self, name: str) -> None:
        """Stop the container in the background: nobody has to wait the five seconds that a program may take to end."""
        if name in self.stopping:
            return
        self.problems.pop(name, None)
        self.stopping.add(name)

        def work() -> None:
            try:
                self._attempt(name, lambda: self.runtime.stop(name))
            finally:
                self.stopping.discard(name)

        self.in_background(work)

    def _ask(self, name: str) -> None:
        self.problems.pop(name, None)
        self.asking = name

    def _keep(self, _: str) -> None:
        self.asking = None

    def _remove(self, name: str) -> None:
        self.asking = None

        def work() -> None:
            if self._attempt(name, lambda: self.runtime.rm(name)):
                self.said = f"{name} is removed."

        self.in_background(work)

    def _attempt(self, name: str, do: Callable[[], object]) -> bool:
        """Do it, or keep the sentence that says why not, beside the container that it is about."""
        try:
            do()
        except MdockError as error:
            self.problems[name] = str(error)
            return False
        return True

    # --- what it sees

    def look(self) -> None:
        try:
            found, trouble = self.runtime.ps(), ""
        except MdockError as error:
            found, trouble = [], str(error)
        logs = {}
        for name in list(self.logs):
            with suppress(NotFound):
                logs[name] = self._log_of(name)
        with self.lock:
            self.found, self.problem = found, trouble
            there = {container.id for container in found}
            self.logs = {name: text for name, text in logs.items() if name in self.logs}
            self.problems = {name: text for name, text in self.problems.items() if name in there}
            if self.asking not in there:
                self.asking = None

    def _log_of(self, name: str) -> str:
        return self.runtime.logs(name, tail=_LOG_LINES)[-_LOG_BYTES:].decode("utf-8", "replace")

    # --- how it shows

    def page(self) -> str:
        if not self.found:
            body = problem(self.problem) or f'<p class="empty">{say(EMPTY)}</p>'
            return body + status(self.said)
        head = "".join(f'<th scope="col">{say(name)}</th>' for name in _COLUMNS)
        rows = "".join(self._rows(container) for container in self.found)
        return (
            f'<table class="rows"><thead><tr>{head}<th scope="col"><span class="unseen">ACTIONS</span></th></tr>'
            f"</thead><tbody>{rows}</tbody></table>{problem(self.problem)}{status(self.said)}"
        )

    def _rows(self, container: Container) -> str:
        name = container.id
        first, *rest = _cells([container], _COLUMNS)[0]
        cells = "".join(
            f'<td class="{title.lower()}">{say(cell)}</td>' for title, cell in zip(_COLUMNS[1:], rest, strict=True)
        )
        row = (
            f'<tr data-key="{escape(name)}"><th scope="row">{say(first)}</th>{cells}'
            f'<td class="acts">{self._buttons(container)}</td></tr>'
        )
        return row + self._below(name)

    def _buttons(self, container: Container) -> str:
        name, stopping = container.id, container.id in self.stopping
        shown = name in self.logs
        return (
            button("Logs", "logs", name, label=f"Logs of {name}", extra=f' aria-expanded="{str(shown).lower()}"')
            + button(
                "Stopping" if stopping else "Stop",
                "stop",
                name,
                label=f"{'Stopping' if stopping else 'Stop'} {name}",
                usable=container.alive and not stopping,
            )
            + button("Remove", "ask", name, label=f"Remove {name}")
        )

    def _below(self, name: str) -> str:
        """Return the row under a container: a question, a problem, its log; nothing where there is nothing to say."""
        inside = ""
        if name == self.asking:
            inside += (
                f'<div class="bar" role="group" aria-label="Remove {escape(name)}?" data-key="ask">'
                f"<span>Remove {say(name)}? Its record and its log go with it.</span>"
                + button("Keep it", "keep", name, label=f"Keep {name}", extra=" data-focus data-escape")
                + button("Remove it", "remove", name, label=f"Yes, remove {name}", kind="danger")
                + "</div>"
            )
        inside += problem(self.problems.get(name, ""))
        if name in self.logs:
            log = escape(self.logs[name]) or "(nothing was written yet)"
            inside += f'<pre tabindex="0" aria-label="log of {escape(name)}" data-key="log">{log}</pre>'
        if not inside:
            return ""
        return f'<tr data-key="{escape(name)} below" class="below"><td colspan="{len(_COLUMNS) + 1}">{inside}</td></tr>'

    def text(self) -> str:
        if not self.found:
            return self.problem or EMPTY
        return text_table(_LASTING, _cells(self.found, _LASTING))

    def picture(self) -> str:
        if not self.found:
            return problem(self.problem) or f"<p>{say(EMPTY)}</p>"
        return table(_LASTING, _cells(self.found, _LASTING))


def _cells(found: Sequence[Container], columns: Sequence[str]) -> list[list[str]]:
    """Return some columns of what ``mdock ps`` shows."""
    places = [PS_HEAD.index(name) for name in columns]
    return [[row[place] for place in places] for row in ps_rows(found)]


def containers_panel(runtime: Runtime | None = None) -> ContainersPanel:
    """Show all containers, about once a second, with their logs, and buttons to stop and to remove them.

    ``runtime``: whose containers; by default those that ``%mdock ps`` lists.
    """
    return ContainersPanel(chosen(runtime))
