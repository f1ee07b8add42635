"""``mdock ps``, live, with buttons for what one does next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from udock_lab.display import tables
from udock_lab.display.markup import Markup, attributes, html, joined, table, verbatim
from udock_lab.display.text.listings import PS_HEAD, ps_rows
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

    def page(self) -> Markup:
        if not self.found:
            return (problem(self.problem) or html('<p class="empty">{}</p>', EMPTY)) + status(self.said)
        head = joined(html('<th scope="col">{}</th>', name) for name in _COLUMNS)
        return html(
            '<table class="rows"><thead><tr>{}<th scope="col"><span class="unseen">ACTIONS</span></th></tr>'
            "</thead><tbody>{}</tbody></table>{}{}",
            *(head, joined(map(self._rows, self.found)), problem(self.problem), status(self.said)),
        )

    def _rows(self, container: Container) -> Markup:
        name = container.id
        first, *rest = _cells([container], _COLUMNS)[0]
        cells = joined(
            html('<td class="{}">{}</td>', title.lower(), cell) for title, cell in zip(_COLUMNS[1:], rest, strict=True)
        )
        return html(
            '<tr data-key="{}"><th scope="row">{}</th>{}<td class="acts">{}</td></tr>{}',
            *(verbatim(name), first, cells, self._buttons(container), self._below(name)),
        )

    def _buttons(self, container: Container) -> Markup:
        name, stopping = container.id, container.id in self.stopping
        shown = attributes(aria_expanded="true" if name in self.logs else "false")
        stop, can_stop = "Stopping" if stopping else "Stop", container.alive and not stopping
        return (
            button("Logs", "logs", name, label=f"Logs of {name}", extra=shown)
            + button(stop, "stop", name, label=f"{stop} {name}", usable=can_stop)
            + button("Remove", "ask", name, label=f"Remove {name}")
        )

    def _below(self, name: str) -> Markup | str:
        """Return the row under a container: a question, a problem, its log; nothing where there is nothing to say."""
        inside = self._question(name) + problem(self.problems.get(name, "")) + self._log(name)
        if not inside:
            return ""
        return html(
            '<tr data-key="{} below" class="below"><td colspan="{}">{}</td></tr>',
            *(verbatim(name), len(_COLUMNS) + 1, inside),
        )

    def _question(self, name: str) -> Markup:
        if name != self.asking:
            return joined([])
        keep = attributes(data_focus=True, data_escape=True)
        return html(
            '<div class="bar" role="group" aria-label="Remove {}?" data-key="ask">'
            "<span>Remove {}? Its record and its log go with it.</span>{}{}</div>",
            *(name, name, button("Keep it", "keep", name, label=f"Keep {name}", extra=keep)),
            button("Remove it", "remove", name, label=f"Yes, remove {name}", kind="danger"),
        )

    def _log(self, name: str) -> Markup:
        if name not in self.logs:
            return joined([])
        log = verbatim(self.logs[name] or "(nothing was written yet)")
        return html('<pre tabindex="0" aria-label="log of {}" data-key="log">{}</pre>', name, log)

    def text(self) -> str:
        if not self.found:
            return self.problem or EMPTY
        return tables.table(_LASTING, _cells(self.found, _LASTING))

    def picture(self) -> Markup:
        if not self.found:
            return problem(self.problem) or html("<p>{}</p>", EMPTY)
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
