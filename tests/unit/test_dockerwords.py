"""What people know from docker: each word is either ours, or answered with one true sentence; nothing harmful is guessed."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.commands import COMMANDS, find
from udock_lab.commands.dockerwords import GROUPS, OPTIONS, WORDS, about_command
from udock_lab.commands.parsing import parse, parser_of
from udock_lab.errors import UsageError

DOCKER = (
    "attach build builder buildx checkpoint commit compose container context cp create debug diff events exec export "
    "history image images import info init inspect kill load login logout logs manifest network node pause plugin port "
    "ps pull push rename restart rm rmi run save search secret service stack start stats stop swarm system tag top trust "
    "unpause update version volume wait"
)
PODMAN_AND_RUNC = "auto-update exists healthcheck kube machine mount play pod spec state umount unmount unshare resume"
COLLOQUIAL = "ls list remove delete shell bash sh ssh enter log status clean up down"
# docker container run's options, as its reference lists them
RUN_OPTIONS = (
    "--add-host --annotation -a --attach --blkio-weight --blkio-weight-device --cap-add --cap-drop --cgroup-parent "
    "--cgroupns --cidfile --cpu-count --cpu-percent --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime -c "
    "--cpu-shares --cpus --cpuset-cpus --cpuset-mems -d --detach --detach-keys --device --device-cgroup-rule "
    "--device-read-bps --device-read-iops --device-write-bps --device-write-iops --disable-content-trust --dns "
    "--dns-option --dns-search --domainname --entrypoint -e --env --expose --gpus --group-add --health-cmd "
    "--health-interval --health-retries --health-start-interval --health-start-period --health-timeout --hostname --init "
    "-i --interactive --ip --ip6 --ipc --isolation --kernel-memory -l --label --label-file --link --link-local-ip "
    "--log-driver --log-opt --mac-address -m --memory --memory-reservation --memory-swap --memory-swappiness --mount "
    "--name --network --net --network-alias --no-healthcheck --oom-kill-disable --oom-score-adj --pid --pids-limit "
    "--platform --privileged -p --publish -P --publish-all --pull -q --quiet --read-only --restart --rm --runtime "
    "--security-opt --shm-size --sig-proxy --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs -t --tty --ulimit "
    "-u --user --userns --uts -v --volume --volume-driver --volumes-from -w --workdir"
)
TAKES_AWAY = ("kill", "prune", "rm", "rmi", "stop")


def refusal(*words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        command = find(*words)
        parse(command, words[1:])
    return caught.value


def sentences() -> list[str]:
    told = [*WORDS.values(), *(told for table in OPTIONS.values() for told in table.values())]
    return list(dict.fromkeys(told))


def test_no_word_is_both_refused_and_a_command_or_an_option() -> None:
    assert not COMMANDS.keys() & (WORDS.keys() | GROUPS.keys())
    for name, table in OPTIONS.items():
        known = set(parser_of(COMMANDS[name])._option_string_actions) - {"-h"}
        assert not known & table.keys(), name


@pytest.mark.parametrize("word", f"{DOCKER} {PODMAN_AND_RUNC} {COLLOQUIAL}".split())
def test_every_word_of_docker_is_ours_or_told_about_in_one_sentence(word: str) -> None:
    if word in COMMANDS:
        return
    error = refusal(word)
    assert error.message.startswith(f"mdock has no command '{word}': ") and "Did you mean" not in str(error)
    assert len(error.message) > len(word) + 40 and "\n" not in error.message


@pytest.mark.parametrize("option", RUN_OPTIONS.split())
def test_every_option_of_docker_run_is_ours_or_told_about_in_one_sentence(option: str) -> None:
    if option in parser_of(COMMANDS["run"])._option_string_actions:
        return
    error = refusal("run", option, "value", "demo")
    assert error.message.startswith(f"mdock run: there is no option {option}: ") and "Did you mean" not in str(error)


@pytest.mark.parametrize("told", sentences())
def test_a_sentence_tells_to_type_what_there_is(told: str) -> None:
    for line in re.findall(r"(?:^|[^/\w])mdock ([a-z]+[^;,]*)", told):
        words = shlex.split(re.split(r" {2,}| shows| removes| \$|\)", line, maxsplit=1)[0].rstrip("."))
        assert words[0] in COMMANDS or words[0] in ("asks", "starts", "runs", "has", "is", "makes", "does"), told
        if words[0] in COMMANDS:
            known = parser_of(COMMANDS[words[0]])._option_string_actions
            for option in [word for word in words[1:] if re.fullmatch(r"--?[a-z-]+", word) and word != "-it"]:
                assert option in known, (option, told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("container ls", "Type: mdock ps"),
        ("container ls -a", "Type: mdock ps -a"),
        ("container", "Type: mdock ps"),
        ("container run -it demo", "Type: mdock run -it demo"),
        ("container stop c1", "Type: mdock stop c1"),
        ("container rm c1", "Type: mdock rm c1"),
        ("container prune", "Type: mdock prune"),
        ("container start c1", "mdock run IMAGE"),
        ("container top c1", "ps -o"),
        ("container frobnicate", "mdock --help"),
        ("image ls", "Type: mdock images"),
        ("image rm demo", "Type: mdock rmi demo"),
        ("image pull alpine", "mdock build"),
        ("image prune", "mdock rmi NAME"),
        ("system prune -af", "mdock prune"),
        ("system df", "du -sh"),
        ("network create net", "share the host's network"),
        ("volume ls", "--copy"),
        ("compose up -d", "mdock run -d"),
        ("pause c1", "mdock kill -s STOP"),
        ("top c1", "ps -o"),
        ("restart c1", "mdock stop ID"),
    ],
)
def test_dockers_commands_of_two_words_lead_to_ours(words: str, told: str) -> None:
    assert told in str(refusal(*words.split()))


def test_help_for_a_word_of_dockers_is_the_same_sentence() -> None:
    from udock_lab.commands import dispatch

    with pytest.raises(UsageError, match=r"has no command 'container'.*mdock ps"):
        dispatch(["help", "container", "ls"], None)  # type: ignore[arg-type]


def near_to(word: str) -> st.SearchStrategy[str]:
    """``word`` with one letter lost, changed, doubled or moved."""
    places = st.integers(0, len(word) - 1)
    letters = st.characters(min_codepoint=97, max_codepoint=122)
    return st.one_of(
        places.map(lambda at: word[:at] + word[at + 1 :]),
        st.tuples(places, letters).map(lambda pair: word[: pair[0]] + pair[1] + word[pair[0] + 1 :]),
        st.tuples(places, letters).map(lambda pair: word[: pair[0]] + pair[1] + word[pair[0] :]),
        places.map(lambda at: word[:at] + word[at : at + 2][::-1] + word[at + 2 :]),
        st.just(word.upper()),
    )


@given(st.one_of(st.text(max_size=12), *map(near_to, TAKES_AWAY)))
def test_nothing_that_takes_away_is_ever_guessed(typed: str) -> None:
    if typed in COMMANDS:
        return
    guess = re.search(r"Did you mean '(\w+)'", str(refusal(typed)))
    assert guess is None or guess[1] not in TAKES_AWAY


@given(st.text(max_size=12).filter(lambda text: "\0" not in text))
def test_no_signal_is_ever_guessed(typed: str) -> None:
    try:
        parse(COMMANDS["kill"], ["-s", typed, "c1"])
    except UsageError as error:
        assert "Did you mean" not in str(error) and error.hint


@pytest.mark.parametrize("typed", ["", "TREM", "SIGKIL", "IO ", "stop "])
def test_a_mistyped_signal_is_refused_or_itself_but_never_another(typed: str) -> None:
    if typed.strip() in ("IO", "stop"):
        assert not isinstance(parse(COMMANDS["kill"], ["-s", typed, "c1"]), str)
    else:
        assert "Did you mean" not in str(refusal("kill", "-s", typed, "c1"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("run --net host demo", "--net: containers share"),
        ("run --net=host demo", "--net: containers share"),
        ("run -name web demo", "--name: containers are called"),
        ("run -itv /a:/b demo", "-v: volumes need mounts"),
        ("run -v/a:/b demo", "-v: volumes need mounts"),
        ("run -p8080:80 demo", "-p: containers share"),
        ("run -rm demo", "--rm is written with two dashes"),
        ("exec -d c1 true", "mdock run -d"),
        ("exec --mem 64M c1 true", "limits of its container"),
        ("exec --userns c1 true", "goes where its container is"),
        ("logs -t c1", "the program's bytes and nothing else"),
        ("logs --since 5m c1", "the program's bytes and nothing else"),
        ("rmi -f demo", "mdock prune"),
        ("stop -s INT c1", "mdock kill -s SIG ID"),
        ("build --no-cache demo .", "not of a Dockerfile"),
    ],
)
def test_an_option_of_dockers_is_told_about_in_every_spelling(words: str, told: str) -> None:
    error = refusal(*words.split())
    assert told in error.message and error.hint == f"All options: mdock {words.split()[0]} --help"


@pytest.mark.parametrize("words", ["rm -fv c1", "rm -v c1", "prune -f", "prune --force"])
def test_what_scripts_write_and_what_changes_nothing_is_taken(words: str) -> None:
    name, *rest = words.split()
    assert not isinstance(parse(COMMANDS[name], rest), str)


@pytest.mark.parametrize(
    "words", [["-h", "web", "demo", "hostname"], ["-dh", "web", "demo"], ["-it", "-h", "web", "demo"]]
)
def test_h_before_an_image_is_dockers_host_name_and_no_call_for_help(words: list[str]) -> None:
    error = refusal("run", *words)
    assert "host name" in error.message and "mdock run --help" in error.hint


@pytest.mark.parametrize("words", [["-h"], ["-dh"], ["-h", "demo"], ["--help", "web", "demo", "sh"]])
def test_h_alone_and_the_long_word_are_calls_for_help(words: list[str]) -> None:
    assert isinstance(parse(COMMANDS["run"], words), str)


def test_an_option_in_the_place_of_a_command_is_called_one() -> None:
    assert refusal("-H", "ps").message == "mdock has no option '-H'."


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_any_words_get_a_sentence_or_none(words: list[str]) -> None:
    told = about_command(words, COMMANDS)
    assert told is None or told.strip()
