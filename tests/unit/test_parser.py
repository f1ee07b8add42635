"""Words to arguments: whatever is typed ends in arguments, in help, or in a UsageError with a hint."""

from __future__ import annotations

import argparse
import shlex
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.commands import COMMANDS, find
from udock_lab.commands.optionless import read_without_options
from udock_lab.commands.parsing import parse, split_words
from udock_lab.commands.values import environment, seconds, signal_number, size
from udock_lab.errors import UsageError

WORDS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "-",
                "--",
                "-d",
                "-it",
                "-e",
                "A=B",
                "--env=",
                "--mem",
                "64M",
                "-h",
                "--help",
                "-t",
                "-5",
                "demo",
                "-x",
                "--rm",
            ]
        ),
    ),
    max_size=8,
)


def arguments(*words: str) -> argparse.Namespace:
    args = parse(COMMANDS[words[0]], words[1:])
    assert isinstance(args, argparse.Namespace)
    return args


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        (["demo", "ls", "-l"], ["ls", "-l"]),
        (["demo", "--", "ls", "-l"], ["ls", "-l"]),
        (["--", "demo", "ls"], ["ls"]),
        (["demo", "--", "--", "x"], ["--", "x"]),
        (["demo", "sh", "--", "-c"], ["sh", "--", "-c"]),
        (["demo"], []),
        (["demo", "--help"], ["--help"]),
        (["-e", "A=B", "demo", "-d", "--mem", "x"], ["-d", "--mem", "x"]),
    ],
)
def test_options_end_at_the_image_and_the_rest_reaches_the_program(words: list[str], argv: list[str]) -> None:
    args = arguments("run", *words)
    assert args.image == "demo"
    assert args.argv == argv
    assert not args.detach


@pytest.mark.parametrize(
    "words",
    [
        ["-it", "-e", "A=B", "-eC=D", "demo"],
        ["-i", "-t", "--env", "A=B", "--env=C=D", "demo"],
        ["-ite", "A=B", "-e", "C=D", "demo"],
    ],
)
def test_short_options_combine_and_take_their_value_in_every_spelling(words: list[str]) -> None:
    args = arguments("run", *words)
    assert (args.interactive, args.tty) == (True, True)
    assert args.env == ["A=B", "C=D"]


@pytest.mark.parametrize("words", [["-w", "-x", "demo"], ["-w-x", "demo"], ["--workdir", "-x", "demo"]])
def test_a_value_may_begin_with_a_dash(words: list[str]) -> None:
    assert arguments("run", *words).workdir == "-x"


def test_an_empty_value_is_a_value() -> None:
    assert arguments("run", "-w", "", "demo").workdir == ""
    assert arguments("run", "--workdir=", "demo").workdir == ""


def test_a_value_is_not_taken_for_the_image() -> None:
    args = arguments("run", "--mem", "64M", "--cpu", "2", "--files", "16", "-w", "/tmp", "demo", "true")
    assert (args.mem, args.cpu, args.files, args.workdir, args.image) == (64 << 20, 2, 16, "/tmp", "demo")


def test_options_may_follow_the_ids_of_other_commands() -> None:
    args = arguments("rm", "c1", "-f", "c2")
    assert args.ids == ["c1", "c2"]
    assert args.force


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--mme", "64M", "demo"], "--mem"),
        (["run", "--det", "demo"], "--detach"),
        (["run", "-x", "demo"], "unknown option -x.\n"),
        (["run", "-D", "demo"], "Did you mean -d?"),
        (["run", "--pids", "3", "demo"], "cgroups"),
        (["run", "--ipc=x", "demo"], "namespaces"),
        (["run", "-v", "/a:/b", "demo"], "--copy"),
        (["run"], "IMAGE"),
        (["run", "--mem"], "needs a value"),
        (["run", "--rm=1", "demo"], "takes no value"),
        (["run", "--mem", "lots", "demo"], "64M"),
        (["run", "--cpu", "0", "demo"], "for instance 2"),
        (["run", "--cpu", "1.5", "demo"], "for instance 2"),
        (["run", "--files", "-3", "demo"], "for instance 64"),
        (["run", "--files", "9" * 5000, "demo"], "for instance 64"),
        (["run", "--cpu", "٣", "demo"], "for instance 2"),
        (["run", "demo", "a\0b"], "NUL"),
        (["kill", "-9", "c1"], "kill -s 9"),
        (["kill", "-s", "TREM", "c1"], "-s TERM"),
        (["stop", "-t", "soon", "c1"], "-t 10"),
        (["stop", "-t", "-5", "c1"], "-t 10"),
        (["rm", "--foce"], "--force"),
        (["build", "a", "b", "c"], "too many arguments: c"),
        (["images", "x"], "too many arguments: x"),
        (["logs", "--tail", "-1", "c1"], "for instance 20"),
        (["logs", "--tail", "9" * 30, "c1"], "for instance 20"),
        (["kill", "-s", "0", "c1"], "-s TERM"),
        (["kill", "-s", "32", "c1"], "-s TERM"),
        (["kill", "-s", "RTMIN+31", "c1"], "-s TERM"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_says_what_to_type(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(COMMANDS[words[0]], words[1:])
    assert said in str(caught.value)
    assert caught.value.message.startswith(f"mdock {words[0]}")
    assert caught.value.hint


def test_only_what_is_required_is_asked_for() -> None:
    with pytest.raises(UsageError) as caught:
        arguments("rootfs")
    assert caught.value.message == "mdock rootfs: the following arguments are required: DIR"


@pytest.mark.parametrize(("word", "number"), [("rtmin+3", 37), ("SIGRTMAX-1", 63), ("35", 35), ("RTMIN", 34)])
def test_a_real_time_signal_has_a_name_and_a_number(word: str, number: int) -> None:
    assert arguments("kill", "-s", word, "c1").signal == number


def test_dockers_words_for_a_tail_are_taken() -> None:
    assert arguments("logs", "-n", "3", "c1").tail == 3
    assert arguments("logs", "--tail", "all", "c1").tail is None
    assert arguments("logs", "--tail", "99999999999", "c1").tail == 99999999999


@pytest.mark.parametrize(("typed", "guess"), [("PS", "'ps'"), ("imags", "'images'"), ("pull", None), ("stats", None)])
def test_the_nearest_command_is_named_only_when_it_is_near(typed: str, guess: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        find(typed)
    assert ("Did you mean" in caught.value.message) == (guess is not None)
    assert guess is None or guess in caught.value.message


def test_one_wrong_letter_suggests_no_other_option() -> None:
    with pytest.raises(UsageError) as caught:
        arguments("ps", "-k")
    assert "Did you mean" not in caught.value.message


@pytest.mark.parametrize("name", sorted(COMMANDS))
@given(words=WORDS)
def test_any_words_give_arguments_or_help_or_a_usage_error(name: str, words: list[str]) -> None:
    try:
        args = parse(COMMANDS[name], words)
    except UsageError as error:
        assert error.message and error.hint
        return
    assert isinstance(args, (argparse.Namespace, str))


@given(argv=st.lists(st.text(st.characters(exclude_characters="\0")), max_size=6))
def test_the_programs_words_arrive_untouched_after_two_dashes(argv: list[str]) -> None:
    assert arguments("run", "-d", "demo", "--", *argv).argv == argv


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    text = parse(COMMANDS[name], ["--help"])
    assert isinstance(text, str)
    assert COMMANDS[name].summary in text
    assert f"mdock {name}" in text.partition("examples:")[2]
    assert parse(COMMANDS[name], ["-h"]) == text


def test_the_help_of_run_says_that_limits_are_per_process() -> None:
    text = parse(COMMANDS["run"], ["--help"])
    assert isinstance(text, str)
    assert "per process, not per container" in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("67108864", 64 << 20),
        ("64M", 64 << 20),
        ("64m", 64 << 20),
        ("64MiB", 64 << 20),
        ("64MB", 64 << 20),
        ("512K", 512 << 10),
        ("512k", 512 << 10),
        ("512KiB", 512 << 10),
        ("1G", 1 << 30),
        ("1g", 1 << 30),
    ],
)
def test_sizes_are_powers_of_1024(text: str, value: int) -> None:
    assert size(text) == value


@given(st.text(max_size=12))
def test_any_text_is_a_size_or_a_usage_error(text: str) -> None:
    try:
        assert 0 < size(text) < 2**63
    except UsageError as error:
        assert "64M" in error.hint


@pytest.mark.parametrize("text", ["SIGTERM", "TERM", "sigterm", "term", "15"])
def test_a_signal_has_many_spellings(text: str) -> None:
    assert signal_number(text) == signal.SIGTERM


@pytest.mark.parametrize("text", ["0", "-1", "65", "999", "", "SIG", "SIG_DFL", "1.5"])
def test_what_is_no_signal_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        signal_number(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e3", "-1", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text)


def test_a_bare_key_passes_the_callers_variable_on_and_the_last_of_a_name_wins() -> None:
    assert environment(["A=1", "B", "A=2", "C="], {"B": "mine"}) == {"A": "2", "B": "mine", "C": ""}


def test_a_bare_key_that_is_not_set_is_left_out_as_docker_does() -> None:
    assert environment(["MISSING", "A=1"], {}) == {"A": "1"}
    assert environment(["A=1", "A"], {}) == {}


@pytest.mark.parametrize("pair", ["=x", ""])
def test_a_variable_without_a_name_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        environment([pair], {})


@given(line=st.text(st.sampled_from("ab-=/*#$;|&<> \t\r\n\v\f\x1c\x00\x85\xa0\u2003\u00e9\"'\\"), max_size=12))
def test_a_line_is_split_as_a_shell_splits_it_whether_it_has_quotes_or_not(line: str) -> None:
    try:
        words = shlex.split(line)
    except ValueError:
        with pytest.raises(UsageError):
            split_words(line)
    else:
        assert split_words(line) == words


@pytest.mark.parametrize(
    "line",
    [
        "run demo",
        "run demo --",
        "run demo -- --",
        "run demo -- -x --rm",
        "run demo sh -c 'exit 42'",
        "run demo -d -- true",
        "run demo ''",
        "exec c1 ls -l /",
        "exec c1 -- ls",
        "exec c1",
    ],
)
def test_without_options_a_line_means_the_same_without_argparse(line: str) -> None:
    name, *words = split_words(line)
    command = COMMANDS[name]
    args = read_without_options(command, words)
    assert args is not None and vars(args) == vars(parse(command, words))


@pytest.mark.parametrize("line", ["run", "run -d demo", "run -- demo", "run --help", "exec -it c1 sh", "ps", "stop c1"])
def test_a_line_that_begins_with_an_option_is_left_to_argparse(line: str) -> None:
    name, *words = split_words(line)
    assert read_without_options(COMMANDS[name], words) is None
    assert read_without_options(COMMANDS["run"], ["demo", "a\0b"]) is None, "which no system call can carry"
