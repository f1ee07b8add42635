"""Go templates for ``--format``: the part of text/template that docker's users write.

Fields (``{{.State.Status}}``), ``$`` and variables, pipelines, parentheses, literals, comments, trim markers,
``if``, ``else if``, ``else``, ``range``, ``with``, and docker's functions (:data:`FUNCTIONS`). A field that is not
there, and a template that does not parse, is a UsageError that says what is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from udock_lab.errors import UsageError
from udock_lab.text.strictjson import spelled, strict_json

__all__ = ["FUNCTIONS", "Template"]

_HINT = "For instance: --format '{{.State.Status}}' or --format '{{json .}}'"
_LONGEST = 1 << 16  # characters of a template
_DEEPEST = 50  # parentheses and blocks inside each other
_WIDEST = 1000  # columns that pad and printf may fill
_MOST_STEPS = 1_000_000  # ranges inside ranges must come to an end
_ACTION = re.compile(
    r"""\{\{(-\s)?\s*(/\*.*?\*/|(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|(?!\}\})[^"`])*?)\s*?(\s-)?\}\}""", re.DOTALL
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<number>-?\d{1,18}(?:\.\d{1,18})?)(?![\w.])
    |(?P<chain>(?<=\))(?:\.\w+)+)|(?P<path>\$\w*(?:\.\w+)*|(?:\.[^\W\d]\w*)+|\.)
    |(?P<word>[^\W\d]\w*)|(?P<sign>[|()]))""",
    re.VERBOSE,
)


def _wrong(what: str, hint: str = _HINT) -> NoReturn:
    raise UsageError(f"--format: {what}.", hint)


class Template:
    """A template that parsed; :meth:`render` puts values in."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            _wrong(f"the template has {len(text):,} characters, more than {_LONGEST:,}", "Make it shorter.")
        self._nodes, end = _Blocks(_split(text)).body(0)
        if end:
            _wrong(f"{{{{{end}}}}} is there without an if, range or with")

    def render(self, value: object) -> str:
        """Return the text for one value: a mapping of names to fields."""
        return "".join(_run(self._nodes, _Scope(value, {"$": value}, [0])))


class _Scope(NamedTuple):
    """What ``.`` is, the variables, and a counter that all scopes share."""

    dot: object
    variables: dict[str, object]
    steps: list[int]

    def inner(self, dot: object, **more: object) -> _Scope:
        """Return the scope of a block: what is set in it ends with it."""
        return _Scope(dot, self.variables | more, self.steps)


# -- parsing -------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A piece of the template: plain text, or what stands in an action."""

    text: str
    action: bool


def _split(template: str) -> list[_Part]:
    r"""Split into text and actions in turn; ``\t`` and ``\n`` in the text are a tab and a newline, as docker has it."""
    parts: list[_Part] = []
    at, trim = 0, False
    while (start := template.find("{{", at)) >= 0:
        match = _ACTION.match(template, start)
        if match is None:
            _wrong(f"an action is not closed: {template[start:][:40]}", "Each {{ needs a }} behind it.")
        parts.append(_Part(_plain_text(template[at:start], trim, bool(match[1])), False))
        parts.append(_Part(match[2].strip(), True))
        at, trim = match.end(), bool(match[3])
    return [*parts, _Part(_plain_text(template[at:], trim, False), False)]


def _plain_text(text: str, left: bool, right: bool) -> str:
    text = text.replace("\\t", "\t").replace("\\n", "\n")
    text = text.lstrip() if left else text
    return text.rstrip() if right else text


class _Block(NamedTuple):
    """``if``, ``range`` or ``with``: what is asked, the names that range sets, what is done, and what else."""

    kind: str
    names: tuple[str, ...]
    pipeline: Any
    body: list[Any]
    otherwise: list[Any]


class _Blocks:
    """Puts the parts together to nodes: texts, pipelines and blocks."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self.parts = list(reversed(parts))

    def body(self, depth: int) -> tuple[list[Any], str]:
        """Parse the nodes up to the action that ends this body (``end``, ``else``, ``else if ...``); return both."""
        if depth > _DEEPEST:
            _wrong(f"blocks are nested more than {_DEEPEST} deep", "Make it simpler.")
        nodes: list[Any] = []
        while self.parts:
            part = self.parts.pop()
            if not part.action:
                nodes.append(part.text)
                continue
            word, _, rest = part.text.partition(" ")
            if part.text.startswith("/*"):
                continue
            if word in ("end", "else"):
                return nodes, part.text
            nodes.append(
                self.block(word, rest, depth) if word in ("if", "range", "with") else _Pipeline.parse(part.text)
            )
        return nodes, ""

    def block(self, kind: str, asked: str, depth: int) -> _Block:
        names, pipeline = _assignment(asked)
        body, end = self.body(depth + 1)
        otherwise: list[Any] = []
        if end.startswith("else "):
            inner, _, rest = end.removeprefix("else ").strip().partition(" ")
            if inner not in ("if", "with"):
                _wrong(f"{{{{{end}}}}} is no branch", "Write {{else}} or {{else if ...}}.")
            return _Block(kind, names, pipeline, body, [self.block(inner, rest, depth + 1)])
        if end == "else":
            otherwise, end = self.body(depth + 1)
        if end != "end":
            _wrong(f"{{{{{kind} ...}}}} has no {{{{end}}}}", f"Write {{{{{kind} ...}}}} ... {{{{end}}}}.")
        return _Block(kind, names, pipeline, body, otherwise)


def _assignment(text: str) -> tuple[tuple[str, ...], _Pipeline]:
    """Parse ``$i, $v := .List``: the names and what they are given."""
    match = re.match(r"\s*(\$\w+)\s*(?:,\s*(\$\w+)\s*)?:=(.*)", text, re.DOTALL)
    if match is None:
        return (), _Pipeline.parse(text)
    return tuple(name for name in match.group(1, 2) if name), _Pipeline.parse(match[3])


class _Pipeline(NamedTuple):
    """Commands, the value of each handed on to the next; with names, an assignment, which shows nothing."""

    commands: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> _Pipeline:
        if re.match(r"\$\w+\s*:=", text):
            names, pipeline = _assignment(text)
            return pipeline._replace(names=names)
        tokens = list(reversed(_tokens(text)))
        pipeline = _pipeline(tokens, text, 0)
        if tokens:
            _wrong(f"{tokens[-1][1]!r} is one too many in {{{{{text[:60]}}}}}")
        return pipeline


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _wrong(f"{text[at:][:20]!r} cannot be read in {{{{{text[:60]}}}}}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


class _Field(NamedTuple):
    """``.A.B`` or ``$x.A``: where it starts, and the names from there on."""

    start: Any
    names: tuple[str, ...]


class _Literal(NamedTuple):
    value: object


def _pipeline(tokens: list[tuple[str, str]], text: str, depth: int) -> _Pipeline:
    if depth > _DEEPEST:
        _wrong(f"parentheses are nested more than {_DEEPEST} deep", "Make it simpler.")
    commands: list[tuple[Any, ...]] = []
    while True:
        words: list[Any] = []
        while tokens and tokens[-1] not in (("sign", "|"), ("sign", ")")):
            words.append(_operand(tokens, text, depth))
        if not words:
            _wrong(f"a value is missing in {{{{{text[:60]}}}}}")
        if len(words) > 1 and not isinstance(words[0], str):
            _wrong(f"only a function takes arguments, in {{{{{text[:60]}}}}}", f"Functions: {', '.join(FUNCTIONS)}")
        commands.append(tuple(words))
        if not tokens or tokens[-1] != ("sign", "|"):
            return _Pipeline(tuple(commands))
        tokens.pop()


def _operand(tokens: list[tuple[str, str]], text: str, depth: int) -> Any:
    """Parse a function's name (as str), a literal, a field, or a pipeline in parentheses."""
    kind, word = tokens.pop()
    if kind == "text":
        return _Literal(word[1:-1] if word[0] == "`" else _unquoted(word))
    if kind == "number":
        return _Literal(float(word) if "." in word else int(word))
    if kind == "path":
        start, *names = word.split(".")
        return _Field(start or None, tuple(name for name in names if name))
    if kind == "word":
        if word in ("true", "false", "nil"):
            return _Literal({"true": True, "false": False, "nil": None}[word])
        if word not in FUNCTIONS:
            _wrong(
                f"there is no function {word}", f"Functions: {', '.join(FUNCTIONS)}. A field begins with a dot: .{word}"
            )
        return word
    if word != "(":
        _wrong(f"{word!r} cannot be there in {{{{{text[:60]}}}}}")
    inner = _pipeline(tokens, text, depth + 1)
    if not tokens or tokens.pop() != ("sign", ")"):
        _wrong(f"a parenthesis is not closed in {{{{{text[:60]}}}}}")
    if tokens and tokens[-1][0] == "chain":
        return _Field(inner, tuple(tokens.pop()[1][1:].split(".")))
    return inner


def _unquoted(word: str) -> str:
    try:
        return str(json.loads(word.replace("\t", "\\t")))
    except ValueError:
        _wrong(f"{word} is no text", r'Write it as "...", with \" for a quotation mark inside.')


# -- running -------------------------------------------------------------------------------------------


def _run(nodes: Sequence[Any], scope: _Scope) -> list[str]:
    out: list[str] = []
    scope.steps[0] += len(nodes) + 1
    if scope.steps[0] > _MOST_STEPS:
        _wrong(f"the template takes more than {_MOST_STEPS:,} steps", "Are there ranges inside ranges?")
    for node in nodes:
        if isinstance(node, str):
            out.append(node)
        elif isinstance(node, _Block):
            out += _run_block(node, scope)
        else:
            value = _evaluate(node, scope)
            if node.names:
                scope.variables[node.names[0]] = value
            else:
                out.append(_shown(value))
    return out


def _run_block(block: _Block, scope: _Scope) -> list[str]:
    value = _evaluate(block.pipeline, scope)
    if block.kind == "range":
        names = block.names if len(block.names) == 2 else ("", *block.names)
        out: list[str] = []
        for key, item in (items := _items(value)):
            out += _run(block.body, scope.inner(item, **dict(zip(names, (key, item), strict=False))))
        return out if items else _run(block.otherwise, scope.inner(scope.dot))
    said = dict.fromkeys(block.names[:1], value)
    if value:
        return _run(block.body, scope.inner(value if block.kind == "with" else scope.dot, **said))
    return _run(block.otherwise, scope.inner(scope.dot, **said))


def _items(value: object) -> list[tuple[object, object]]:
    if isinstance(value, Mapping):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if value is None:
        return []
    _wrong(f"range goes through a list or a mapping, and {_shown(value)[:40]!r} is neither")


def _evaluate(pipeline: _Pipeline, scope: _Scope) -> Any:
    carried: tuple[Any, ...] = ()
    for words in pipeline.commands:
        first = words[0]
        if isinstance(first, str):
            given = [_value(word, scope) for word in words[1:]]
            carried = (_call(first, [*given, *carried]),)
        elif carried:
            _wrong("only a function can take what a | hands on", f"Functions: {', '.join(FUNCTIONS)}")
        else:
            carried = (_value(first, scope),)
    return carried[0]


def _value(operand: Any, scope: _Scope) -> Any:
    if isinstance(operand, _Literal):
        return operand.value
    if isinstance(operand, _Pipeline):
        return _evaluate(operand, scope)
    if isinstance(operand, str):
        return _call(operand, [])
    if isinstance(operand.start, _Pipeline):
        value = _evaluate(operand.start, scope)
    elif operand.start is None:
        value = scope.dot
    elif operand.start in scope.variables:
        value = scope.variables[operand.start]
    else:
        _wrong(f"there is no variable {operand.start}", f"Variables: {', '.join(scope.variables)}")
    for name in operand.names:
        value = _field(value, name)
    return value


def _field(value: object, name: str) -> object:
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        meant = [key for key in value if key.lower() == name.lower() and key[:1] == name[:1]]  # .ID and .Id
        if len(meant) == 1:
            return value[meant[0]]
        _wrong(f"there is no field .{name}", "There are: " + (", ".join(f".{key}" for key in value) or "none"))
    what = "a list; go through it with {{range}}" if isinstance(value, list | tuple) else f"{_shown(value)[:40]!r}"
    _wrong(f"there is no field .{name} in {what}")


def _shown(value: object) -> str:
    """Return the value as Go prints it.

    Control characters but newline and tab are spelled out: no name may steer a terminal.
    """
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{_shown(key)}:{_shown(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(_shown(item) for item in value) + "]"
    text = spelled(str.__str__(value) if isinstance(value, str) else str(value))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


# -- functions -----------------------------------------------------------------------------------------


def _call(name: str, given: list[Any]) -> Any:
    try:
        return FUNCTIONS[name](*given)
    except UsageError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        said = " ".join(_shown(value)[:30] for value in given) or "nothing"
        _wrong(f"{name} cannot do anything with: {said}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, list | tuple | str) and (isinstance(key, bool) or not 0 <= key < len(value)):
            raise LookupError
        value = value[key]
    return value


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: test(one, other)


def _pad(text: str, left: int, right: int) -> str:
    if not (0 <= left <= _WIDEST and 0 <= right <= _WIDEST):
        raise ValueError
    return " " * left + str(text) + " " * right if text else text


def _printf(form: str, *values: Any) -> str:
    """Format with Go's verbs s, d, v, q, x, t and f, with their widths."""
    rest = list(values)

    def put(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        if any(int(number) > _WIDEST for number in re.findall(r"\d+", match[1])):
            raise ValueError
        value = rest.pop(0)
        if match[2] in "svt":
            return f"%{match[1]}s" % _shown(value)
        return f"%{match[1]}s" % strict_json(str(value)) if match[2] == "q" else f"%{match[1]}{match[2]}" % value

    text = re.sub(r"%([-+# 0]*\d{0,5}(?:\.\d{1,5})?)(.)", put, form, flags=re.DOTALL)
    if rest:
        raise ValueError
    return text


def _and(*values: Any) -> Any:
    return next((value for value in values if not value), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if value), values[-1])


def _joined(values: Sequence[Any], between: str) -> str:
    if isinstance(values, str):
        raise TypeError
    return str(between).join(_shown(value) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": lambda value: strict_json(value),
    "join": _joined,
    "split": lambda text, between: _text(text).split(between),
    "upper": lambda text: _text(text).upper(),
    "lower": lambda text: _text(text).lower(),
    "title": lambda text: _text(text).title(),
    "len": len,
    "index": _index,
    "pad": _pad,
    "truncate": lambda text, most: _text(text)[: max(0, int(most))],
    "print": lambda *values: " ".join(_shown(value) for value in values),
    "println": lambda *values: " ".join(_shown(value) for value in values) + "\n",
    "printf": _printf,
    "eq": lambda one, *others: any(one == other for other in (others or (None,))),
    "ne": lambda one, other: one != other,
    "lt": _compared(lambda one, other: one < other),
    "le": _compared(lambda one, other: one <= other),
    "gt": _compared(lambda one, other: one > other),
    "ge": _compared(lambda one, other: one >= other),
    "and": _and,
    "or": _or,
    "not": lambda value: not value,
}
