"""Tests run with what users have: whatever else they set stands in ``test_settings.toml``, with the reason.

A user has a HOME, and what ``udock-lab start`` sets. Found are, in ``tests/`` and ``scripts/``: variables of the
environment, options of Jupyter's programs and of Python, settings files of Jupyter's, arguments of kernels, and what a
test puts in the place of a module's own values. Ends with 1, and one line for each, if one of them is not on the list,
or stands there and is set no more. A name that cannot be read from the file itself is refused: write it out.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "scripts" / "test_settings.toml"
NOT_OURS = ("tests/exercises/corpus/", "tests/exercises/attacks/")  # what learners write
ABOUT_SETTINGS = ("check_test_settings.py", "test_test_settings.py")  # they name what others set
USERS_HAVE = {"HOME", "PATH", "--no-browser", "--allow-root", "--ServerApp.root_dir", "--LabApp.default_url"}

_ENVIRONMENT = re.compile(r"(^|_)env(iron(ment)?)?$", re.IGNORECASE)  # how a variable that holds one is called
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")
_KNOWN = re.compile(r"(?:MDOCK|UDOCK|JUPYTER|IPYTHON|PYTHON|XDG)_?[A-Z]+\w*|TMPDIR")  # a variable, wherever it stands
_OPTION = re.compile(r"--((?:[A-Z]\w*\.)+\w+|(?:no-browser|allow-root|port|port-retries|notebook-dir|ip|config)\b)")
_FILE = re.compile(r"(?:page_config|overrides|jupyter_\w*config|ipython_\w*config|nbgrader_config)\.(?:json|py)$")
_IN_PYTHON = re.compile(r"environ\[(['\"])(\w+)\1\]\s*=(?!=)")
_IN_SHELL = re.compile(rf"(?:export|env|%env) +({_KNOWN.pattern})=|(?:^|[;&|(]) *({_KNOWN.pattern})=\S* +\w", re.M)
_EXPORTED = re.compile(r"(?:^|;|&&|then|do)[ \t]*(?:export[ \t]+(.*)|((?:[A-Z]\w*=\S*[ \t]+)+)[\w./\"$])", re.M)
_STARTS = {"Popen", "run", "call", "check_call", "check_output", "start_kernel", "execve", "execvpe", "posix_spawn"}


class Setting(NamedTuple):
    """What is set, where."""

    file: str
    line: int
    name: str


class Reader(ast.NodeVisitor):
    """Collects what one file of Python sets, as (line, name); a name that is not to be read has a question mark."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[int, str]] = []
        self.constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_text(node.value)
        }
        self.visit(tree)

    def add(self, node: ast.expr, kind: str = "") -> None:
        if isinstance(node, ast.Constant):
            name = str(node.value)
        else:
            name = str(self.constants.get(ast.unparse(node), f"{ast.unparse(node)}?"))
        self.found.append((node.lineno, kind + name))

    # --- variables of the environment

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is_environment(target.value):
                self.add(target.slice)
            elif isinstance(target, ast.Attribute) and target.attr == "kernel_cmd":
                self.found.append((node.lineno, "kernel_cmd"))
            elif _is_environment(target):
                self.keys(node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if _is_environment(node.target):
            self.keys(node.value)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.BitOr):
            self.keys(node.left)
            self.keys(node.right)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        if any(key is None and _is_environment(value) for key, value in zip(node.keys, node.values, strict=True)):
            self.keys(node)
        for key in node.keys:
            if isinstance(key, ast.Constant) and _KNOWN.fullmatch(str(key.value)):
                self.add(key)
        self.generic_visit(node)

    def keys(self, node: ast.expr) -> None:
        """Add the keys of what makes a dict on the spot; a part that has a name is read where it is made."""
        if isinstance(node, ast.IfExp):
            self.keys(node.body)
            self.keys(node.orelse)
        elif isinstance(node, ast.DictComp) and not ast.unparse(node.generators[0].iter).endswith("environ.items()"):
            self.add(node.key)
        for key in node.keys if isinstance(node, ast.Dict) else ():
            if key is not None and not (_is_text(key) and not _VARIABLE.fullmatch(str(key.value))):
                self.add(key)

    # --- calls

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called in ("setenv", "putenv") or (called == "setdefault" and of is not None and _is_environment(of)):
            self.add(node.args[0])
        elif called == "setattr" and of is not None and ast.unparse(of) == "monkeypatch":
            last = node.args[1] if len(node.args) > 2 else node.args[0]
            self.add(last, "" if len(node.args) < 3 else f"{ast.unparse(node.args[0]).removesuffix('_module')}.")
        elif node.args and _is_environment(node.args[0] if called == "dict" else of):  # patch.dict, environ.update
            self.keys(node.args[-1])
        starts = called in _STARTS and (of is None or called != "run" or ast.unparse(of) == "subprocess")
        for keyword in node.keywords:
            if keyword.arg == "env" and starts:
                self.keys(keyword.value)
            elif keyword.arg == "extra_arguments":
                self.found.append((node.lineno, "extra_arguments"))
            elif keyword.arg == "kernel_name" and not (_is_text(keyword.value) and keyword.value.value == "python3"):
                self.add(keyword.value, "kernel ")
            elif keyword.arg and _VARIABLE.fullmatch(keyword.arg):
                self.found.append((node.lineno, keyword.arg))
        self.generic_visit(node)

    # --- words

    def visit_Assert(self, node: ast.Assert) -> None:
        """Pass over what is compared, since that sets nothing; visit what is called in it."""
        for part in ast.walk(node.test):
            if isinstance(part, ast.Call):
                self.visit_Call(part)

    def visit_List(self, node: ast.List | ast.Tuple) -> None:
        words = [ast.unparse(part) for part in node.elts]
        for place in [number for number, word in enumerate(words) if word == "sys.executable"]:
            for word in node.elts[place + 1 :]:
                if not _is_text(word) or not str(word.value).startswith("-") or word.value in ("-m", "-c"):
                    break
                self.add(word, "python ")
        self.generic_visit(node)

    visit_Tuple = visit_List  # noqa: N815

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str):
            return
        if option := _OPTION.match(node.value):
            self.found.append((node.lineno, option[0]))
        if file := _FILE.search(node.value):
            self.found.append((node.lineno, file[0]))
        inside = [match[2] for match in _IN_PYTHON.finditer(node.value)]
        inside += [match[1] or match[2] for match in _IN_SHELL.finditer(node.value)]
        self.found += [(node.lineno, name) for name in inside]


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_environment(node: ast.expr | None) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return _ENVIRONMENT.search(name) is not None


def of_python(text: str) -> list[tuple[int, str]]:
    """Return what a file of Python sets, as (line, name)."""
    return Reader(ast.parse(text)).found


def of_shell(text: str) -> list[tuple[int, str]]:
    """Return what a file of bash exports, or sets for one command, as (line, name)."""
    found = []
    for match in _EXPORTED.finditer(text):
        line = text.count("\n", 0, match.end()) + 1
        names = re.findall(r"(?:^|\s)(\"?[\w$]+)=", match[1] or match[2] or "")
        found += [(line, name if _VARIABLE.fullmatch(name) else f"{name}?") for name in names]
    for number, words in enumerate(text.splitlines(), 1):
        found += [(number, option[0]) for word in words.split() if (option := _OPTION.match(word))]
    return found


def settings(root: Path) -> Iterator[Setting]:
    """Yield what tests and scripts set beyond what users have."""
    for path in sorted(path for folder in ("tests", "scripts") for path in (root / folder).rglob("*")):
        file = path.relative_to(root).as_posix()
        if file.startswith(NOT_OURS) or path.name in ABOUT_SETTINGS or not path.is_file():
            continue
        if path.suffix == ".py":
            found = of_python(path.read_text())
        elif path.suffix in ("", ".sh") and path.read_bytes().startswith(b"#!"):
            found = of_shell(path.read_text())
        else:
            continue
        yield from (Setting(file, line, name) for line, name in dict.fromkeys(found) if name not in USERS_HAVE)


def complaints(root: Path, listed: Path) -> list[str]:
    """Return one line for each setting that is not as the list says.

    It is not on the list, or on it and set no more, or on it without a reason.
    """
    entries = tomllib.loads(listed.read_text())["set"]
    allowed = {(entry["name"], file) for entry in entries for file in entry["in"]}
    found = list(settings(root))
    wrong = [f"{one.file}:{one.line}: sets {one.name}" for one in found if (one.name, one.file) not in allowed]
    stale = sorted(allowed - {(one.name, one.file) for one in found})
    wrong += [f"{listed.name}: {file} does not set {name} any more" for name, file in stale]
    return wrong + [f"{listed.name}: {entry['name']} has no reason" for entry in entries if not entry["why"].strip()]


def main() -> int:
    """Say what is wrong; 1 if anything is."""
    wrong = complaints(ROOT, LIST)
    if wrong:
        print("\n".join(wrong))
        print(f"A user has none of this. Do without, or give the reason in {LIST.relative_to(ROOT)}.")
        return 1
    print("tests set what users have, or say why not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
