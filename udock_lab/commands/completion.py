"""``mdock completion bash|zsh``: the script that a shell reads once, and what it asks for at each press of Tab."""

from __future__ import annotations

from udock_lab.commands.base import Command, Context, Outcome
from udock_lab.errors import MdockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["COMMANDS", "words_so_far"]

# The line goes to mdock as it stands: bash has cut it at each "=" and ":" already, and only mdock knows its words.
_BASH = r"""# Tab completion of mdock in bash: source <(mdock completion bash)
_mdock() {
    mapfile -t COMPREPLY < <(command mdock completion bash --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    case ${COMPREPLY[0]-} in
        :files) COMPREPLY=(); compopt -o default ;;
        :folders) COMPREPLY=(); compopt -o dirnames ;;
        *=) compopt -o nospace ;;
    esac
}
complete -F _mdock mdock
"""
_ZSH = r"""#compdef mdock
# Tab completion of mdock in zsh: source <(mdock completion zsh)
_mdock() {
    local -a found
    found=("${(@f)$(command mdock completion zsh --line "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    case ${found[1]-} in
        '') return 1 ;;
        :files) _files ;;
        :folders) _files -/ ;;
        *=) compadd -S '' -- "${found[@]}" ;;
        *) compadd -- "${found[@]}" ;;
    esac
}
if [[ ${funcstack[1]-} == _mdock ]]; then
    _mdock "$@"
else
    (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit; }
    compdef _mdock mdock
fi
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH}


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("shell", metavar="bash|zsh", choices=list(SCRIPTS), help="whose script to print")
    parser.add_argument("--line", metavar="LINE", help="what the scripts ask at each Tab: what may follow this line?")


def completion(args: Namespace, context: Context) -> Outcome:
    """Return the script, or the answer to its question: a word on each line, or ``:files`` or ``:folders``."""
    from udock_lab.commands.results import Text

    if args.line is None:
        return Outcome(value=Text(SCRIPTS[args.shell].rstrip("\n")))
    from udock_lab.commands.completing import candidates, wanted_path

    *before, current = words_so_far(args.line)
    if wanted_path(before, current):
        return Outcome(value=Text(f":{wanted_path(before, current)}"))
    try:
        found = candidates(before, current, lambda: context.runtime)
    except (MdockError, OSError):
        found = []  # Tab is no place for an error message; the command itself will say it.
    behind = max(current.rfind("="), current.rfind(":")) + 1 if args.shell == "bash" else 0
    return Outcome(value=Text("\n".join(word[behind:] for word, _ in found)))


def words_so_far(line: str) -> list[str]:
    """Split a line behind ``mdock`` as a shell does; the last word, perhaps empty, is the one where Tab was pressed.

    >>> words_so_far("mdock run --env-file 'my fi")
    ['run', '--env-file', 'my fi']
    >>> words_so_far("mdock ps ")
    ['ps', '']
    """
    import shlex

    for end in ("\1", "\1'", '\1"', ""):  # a mark tells an empty last word from none; a quotation may still be open
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        if end and words[-1].endswith("\1"):
            words[-1] = words[-1][:-1]
        return words[1:] or [""]
    return [""]


COMMANDS = (
    Command(
        name="completion",
        summary="print the script that teaches bash or zsh to complete mdock's words",
        usage="bash|zsh",
        handler=completion,
        configure=_options,
        words=(("bash", "zsh"),),
        examples=(
            "  source <(mdock completion bash)         for this shell\n"
            "  echo 'source <(mdock completion bash)' >> ~/.bashrc\n"
            "  echo 'source <(mdock completion zsh)' >> ~/.zshrc"
        ),
    ),
)
