"""What several scenes need, inside the sandbox and beside the learner's code."""

from __future__ import annotations

import fcntl
import linecache
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType, TracebackType

__all__ = [
    "CELLS",
    "SOLUTION",
    "compiled",
    "content_of",
    "high",
    "high_pipe",
    "importable",
    "load",
    "may_chroot",
    "said",
    "show_lines",
    "shown",
]

SOLUTION = "<your solution>"  # the file name of a submitted source, in tracebacks
CELLS = ("/ipykernel_", "<ipython-input-", "<your cell ", "<your file ")  # in the file name of a learner's own code
_OUT_OF_THE_WAY = 300  # descriptors from here on
_LONGEST = 1000  # characters of a value that are shown; of a longer one the beginning, and how much more there is
_DEEPEST = 20  # plain data inside plain data


def high(fd: int) -> int:
    """Return the same open file under a high number, out of the way of code that closes what it did not open."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(fd)
    return moved


def high_pipe() -> tuple[int, int]:
    """Return a pipe's read and write end, likewise."""
    low = os.pipe()
    return high(low[0]), high(low[1])


def content_of(path: str, most: int = -1) -> str | None:
    """Return a file, a byte a character, its first ``most`` bytes (-1: all); None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(most).decode("latin-1")
    except OSError:
        return None


def may_chroot() -> bool:
    """Try in a child whether chroot is permitted."""
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot("/")
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def show_lines(path: str, source: str) -> None:
    """Let tracebacks show the lines of a source that is in no file here."""
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)


def importable(modules: dict[str, str]) -> None:
    """Let what lay beside the notebook be imported: file names, each with its text. It runs when it is imported."""
    if modules:
        from importlib.machinery import ModuleSpec  # before there is somebody else who is asked for it

        sys.meta_path.insert(0, _Beside(modules, ModuleSpec))


class _Beside:
    """Finds and loads them (importlib.abc.MetaPathFinder, Loader). A folder of them is a package."""

    def __init__(self, modules: dict[str, str], spec: type[ModuleSpec]) -> None:
        self.modules, self.spec = modules, spec

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where a module is, None for one that is not ours."""
        file = name.replace(".", "/")
        for own, is_package in ((f"{file}/__init__.py", True), (f"{file}.py", False)):
            if own in self.modules:
                return self.spec(name, self, origin=own, is_package=is_package)  # type: ignore[arg-type]
        if any(own.startswith(f"{file}/") for own in self.modules):
            return self.spec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """Have Python make it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its text; a traceback calls it by its file."""
        origin = module.__spec__.origin if module.__spec__ else None
        if origin is None:
            return
        called, text = f"<your file {origin}>", self.modules[origin]
        show_lines(called, text)
        exec(compile(text, called, "exec", dont_inherit=True), vars(module))  # noqa: S102 - as in load


def compiled(parts: Iterable[tuple[str, str, bool]], futures: Iterable[str]) -> list[tuple[CodeType, bool]]:
    """Compile the cells of a submitted notebook: name, text, and whether an error in it is the answer's.

    Of other cells what cannot be compiled is left out, statement by statement. SyntaxError.
    """
    import __future__

    import ast

    flags, codes = 0, []
    for name in futures:
        flags |= getattr(getattr(__future__, name, None), "compiler_flag", 0)
    for name, text, is_whole in parts:
        show_lines(name, text)
        if is_whole:
            codes.append((compile(text, name, "exec", flags, dont_inherit=True), True))
            continue
        for statement in ast.parse(text, name).body:
            with suppress(Exception):
                one = ast.Module([statement], [])
                codes.append((compile(one, name, "exec", flags, dont_inherit=True), False))
    return codes


def load(codes: Iterable[tuple[CodeType, bool]], namespace: dict[str, object]) -> list[tuple[str, int, str]]:
    """Run them. There is an exit, as in the notebook, which ends a cell and nothing else.

    What fails in a cell that is no solution cell takes only its statement with it: its cell, line and error are
    returned.
    """
    namespace |= {"exit": sys.exit, "quit": sys.exit}
    failed = []
    for code, is_whole in codes:
        try:
            exec(code, namespace)  # noqa: S102 - in the sandbox, which is there for it
        except SystemExit:
            continue
        except Exception as error:
            if is_whole:
                raise
            trace = error.__traceback__.tb_next if error.__traceback__ else None
            words = f"{type(error).__name__}: {_safely(str, error)[:_LONGEST]}"
            failed.append((code.co_filename, trace.tb_lineno if trace else 0, words))
    return failed


def said(function: Callable[..., object], *arguments: object, **named: object) -> dict[str, object]:
    """Call a learner's function and tell what it returned or raised, as plain data (evidence.heard reads it).

    ``how`` is ``returned`` or ``raised``; ``kind`` its type's name and ``mro`` those of its classes; ``shown`` the
    value as the learner would write it, or the error's text; ``plain`` a list of the value alone where it is plain data
    (tuples stay tuples, enums become numbers), else empty. Of an error also ``line`` and ``code``: the learner's own
    line that it came from, as far in as their code goes (0 and empty if it came from nowhere in it), and ``errno``.
    """
    try:
        value = function(*arguments, **named)
    except BaseException as error:  # SystemExit too: who calls exit in a child brings it here
        line, code = _line_of(error, function)
        number = getattr(error, "errno", None)
        return _told("raised", error, _safely(str, error)) | {
            "line": line,
            "code": code,
            "errno": number if type(number) is int else None,
        }
    try:
        plain, is_plain = _plain(value, 0)
    except Exception:  # methods of their own class
        is_plain = False
    return _told("returned", value, shown(value)) | {"plain": [plain] if is_plain else []}


def _told(how: str, thing: object, words: str) -> dict[str, object]:
    kinds = [str(kind.__name__) for kind in type(thing).__mro__]
    return {"how": how, "kind": kinds[0], "mro": kinds, "shown": words}


def shown(value: object) -> str:
    """Write a value as the learner would; of a long one its first parts, whole, and how many more there are."""
    words = _safely(repr, value)
    if len(words) <= _LONGEST:
        return words
    if type(value) in (str, bytes):
        return f"{value[:200]!r} and {len(value) - 200:,} more"  # type: ignore[index,arg-type]
    if type(value) in (list, tuple, set, frozenset, dict):
        return _first_parts(value)  # type: ignore[arg-type]
    return f"{words[:200]} and {len(words) - 200:,} more characters"


def _first_parts(value: Iterable[object]) -> str:
    parts: list[str] = []
    every = [f"{shown(k)}: {shown(v)}" for k, v in value.items()] if isinstance(value, dict) else map(shown, value)
    for part in every:
        if parts and sum(map(len, parts)) + len(part) > _LONGEST:
            break
        parts.append(part)
    left = len(value) - len(parts)  # type: ignore[arg-type]
    return f"{type(value).__name__} of {', '.join(parts)}{f' and {left:,} more' if left else ''}"


def _safely(write: Callable[[object], str], thing: object) -> str:
    try:
        return str(write(thing))
    except Exception as error:  # their own __repr__ or __str__; a number with more digits than Python writes
        return f"{type(thing).__name__} (writing it raised {type(error).__name__})"


def _plain(value: object, depth: int) -> tuple[object, bool]:
    """Return a value made of Python's own types alone, and whether that was possible."""
    if value is None or isinstance(value, bool):
        return value, True
    if isinstance(value, int):
        return int(value), value.bit_length() < 1000
    if isinstance(value, float):
        return float(value), value - value == 0  # neither infinite nor NaN, which no literal writes
    if isinstance(value, str):
        return str(value), True
    if isinstance(value, bytes):
        return bytes(value), True
    if depth == _DEEPEST or not isinstance(value, tuple | list | dict):
        return None, False
    made = [_plain(part, depth + 1) for part in (value.items() if isinstance(value, dict) else value)]
    parts, is_plain = [part for part, _ in made], all(is_plain for _, is_plain in made)
    try:
        if isinstance(value, dict):
            return dict(parts), is_plain  # type: ignore[arg-type]
        return (tuple(parts) if isinstance(value, tuple) else parts), is_plain
    except (TypeError, ValueError):  # a key that is none once its class is taken away
        return None, False


def _line_of(error: BaseException, function: Callable[..., object]) -> tuple[int, str]:
    """Return number and text of the innermost line of the learner's own code that an error passed."""
    if isinstance(error, SyntaxError) and _is_theirs(str(error.filename), ""):
        return error.lineno or 0, (error.text or "").strip()
    code: CodeType | None = getattr(function, "__code__", None)
    own = code.co_filename if code is not None else ""
    found = 0, ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if _is_theirs(file, own):
            found = trace.tb_lineno, linecache.getline(file, trace.tb_lineno).strip()
        trace = trace.tb_next
    return found


def _is_theirs(file: str, own: str) -> bool:
    library = os.path.dirname(os.__file__)
    return file == SOLUTION or any(cell in file for cell in CELLS) or (file == own and not own.startswith(library))
