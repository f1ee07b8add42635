"""The 16 bits of a wait status, to be turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from udock_lab.display.html.status import status_html
from udock_lab.display.markup import Markup, bare, html, joined
from udock_lab.display.text.status import ending, status_text, status_words
from udock_lab.model import ExitStatus
from udock_lab.widgets.controls import button, field, problem
from udock_lab.widgets.panel import Panel

__all__ = ["StatusDecoder", "status_decoder"]

_LARGEST = 0xFFFF
EXAMPLES = (
    ("exit 0", 0),
    ("exit 42", 42 << 8),
    ("SIGKILL", 9),
    ("SIGSEGV, core dumped", 11 | 0x80),
    ("stopped by SIGSTOP", 19 << 8 | 0x7F),
)


class StatusDecoder(Panel):
    """A slider, a field and examples over the picture of one wait status (wait(2))."""

    label = "wait status decoder"

    def __init__(self, raw: int = 10752) -> None:
        self.raw = _checked(raw)
        self.typed = str(self.raw)
        self.problem = ""
        super().__init__()

    @property
    def status(self) -> ExitStatus:
        """The wait status that is shown."""
        return ExitStatus(raw=self.raw)

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {"slide": self._take, "type": self._take, "example": lambda value: self._take(("", value))}

    def _take(self, value: Any) -> None:
        self.typed = str(value[1])
        try:
            self.raw = _checked(int(self.typed.strip().replace(" ", ""), 0))
        except ValueError:
            self.problem = (
                f"{self.typed!r} is no wait status: it has 16 bits, so it is a whole number from 0 to {_LARGEST}.\n"
                "Write for instance 10752, 0x2a00 or 0b10101000000000."
            )
        else:
            self.problem = ""

    def page(self) -> Markup:
        said = ending(self.status)
        examples = joined(
            button(name, "example", str(raw), kind="chosen" if raw == self.raw else "") for name, raw in EXAMPLES
        )
        return html(
            '<div class="bar"><label class="wide"><span>wait status, 0 to 65535</span>'
            '<input type="range" min="0" max="{}" data-do="slide" value="{}" aria-valuetext="{}: {}"></label>{}</div>'
            '<div class="bar" role="group" aria-label="examples"><span class="aside">examples</span>{}</div>'
            '{}<p class="unseen" role="status">{}: {}</p>{}',
            *(_LARGEST, self.raw, self.raw, said, field("as a number", "type", self.typed, size=8), examples),
            *(problem(self.problem), self.raw, status_words(self.status), self.picture()),
        )

    def text(self) -> str:
        return status_text(self.status)

    def picture(self) -> Markup:
        return bare(status_html(self.status))


def _checked(raw: int) -> int:
    if not 0 <= raw <= _LARGEST:
        raise ValueError(f"a wait status is a number from 0 to {_LARGEST}, not {raw}")
    return raw


def status_decoder(raw: int = 10752) -> StatusDecoder:
    """Turn the 16 bits of a wait status by hand and see which macro reads which bits (wait(2)).

    ``raw`` is what ``os.waitpid`` handed back: 0 to 65535. UsageError for anything else.
    """
    from udock_lab.errors import UsageError
    from udock_lab.text.arguments import shown

    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= _LARGEST:
        raise UsageError(
            f"{shown(raw)} is no wait status: it has 16 bits, so it is a whole number from 0 to {_LARGEST}.",
            "Write for instance status_decoder(10752), or status_decoder(result.exit_status.raw).",
        )
    return StatusDecoder(raw)
