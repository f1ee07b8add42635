"""``inspect``, ``--format``, ``--filter`` and ``--env-file`` from the command line: docker's spelling, any input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hostile import Mdock
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udock_lab.commands.templates import Template
from udock_lab.errors import UsageError
from udock_lab.text.strictjson import strict_json

RECORDS = """\
c1|4000001|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0
c2|4000002|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|42
c3|4000003|other|killed|2026-01-02T03:04:05|2026-01-02T03:04:06|137
c4|4000004|demo|running|2026-01-02T03:04:05||
c10|4000005|demo|stopped|2026-01-02T03:04:05|2026-01-02T03:04:06|143
"""


@pytest.fixture(scope="module")
def mdock(tmp_path_factory: pytest.TempPathFactory, demo_rootfs: Path) -> Mdock:
    """A home with two images and the records above; c4 is orphaned. Nothing here runs anything in it."""
    mdock = Mdock(tmp_path_factory.mktemp("formats") / "home")
    for name in ("demo", "other"):
        assert mdock("build", "-t", name, str(demo_rootfs)).returncode == 0
    Path(mdock.home.containers_db).write_text(RECORDS)
    return mdock


@pytest.fixture
def strange(tmp_path: Path, demo_rootfs: Path) -> Mdock:
    """c1 ran with words and variables that are no UTF-8."""
    mdock = Mdock(tmp_path / "home")
    mdock("build", "demo", str(demo_rootfs))
    mdock("run", "-e", "A=x\ny", "-e", "B=\udcfe", "demo", "/bin/true", "b\udcffd", r"\xff", 'é😀"', "\x1b[2J")
    return mdock


def strictly(text: str) -> Any:
    """As a strict reader takes it: no NaN, and no half of a character."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    value = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def said(mdock: Mdock, *words: str) -> str:
    result = mdock(*words)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def refused(mdock: Mdock, *words: str) -> str:
    result = mdock(*words)
    assert (result.returncode, result.stdout) == (2, ""), result
    return result.stderr


# --- inspect ---------------------------------------------------------------------------------------------


def test_inspect_is_strict_json_and_loses_no_byte(strange: Mdock) -> None:
    found = strictly(said(strange, "inspect", "c1"))
    assert found["spec"]["argv"] == ["/bin/true", r"b\xffd", r"\xff", 'é😀"', "\x1b[2J"] == found["Config"]["Cmd"]
    assert bytes.fromhex(found["not_utf8"]["/spec/argv/1"]) == b"b\xffd"
    assert "/spec/argv/2" not in found["not_utf8"]  # those four characters were typed
    assert bytes.fromhex(found["not_utf8"]["/spec/env/1/1"]) == b"\xfe"


def test_one_name_is_an_object_and_several_are_an_array(mdock: Mdock) -> None:
    one, several = strictly(said(mdock, "inspect", "c1")), strictly(said(mdock, "inspect", "c1", "demo", "c2"))
    assert [one["id"], one["Id"]] == ["c1", "c1"] and "not_utf8" not in one
    assert [entry.get("id", entry.get("name")) for entry in several] == ["c1", "demo", "c2"]
    assert several[0] == one == strictly(said(mdock, "inspect", "--format", "{{json .}}", "c1"))
    assert several == strictly(said(mdock, "inspect", "--format", "json", "c1", "demo", "c2"))


def test_a_name_that_is_not_there_spoils_no_other(mdock: Mdock) -> None:
    result = mdock("inspect", "c1", "nosuch", "c2")
    assert result.returncode == 1 and "nosuch" in result.stderr
    assert [entry["Id"] for entry in strictly(result.stdout)] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.State.Running}}", "exited 42 0 false"),
        ("{{.Id}} {{.ID}} {{.Name}} {{.Image}} {{.Created}}", "c2 c2 c2 demo 2026-01-02T03:04:05"),
        ("{{.Config.Cmd}}{{.Config.Env}}", "[][]"),
        ("{{json .State.FinishedAt}}", '"2026-01-02T03:04:06"'),
        (r"{{.Id}}\t{{.Id}}\n-", "c2\tc2\n-"),
        ("plain", "plain"),
        ("{{/* a word */}}{{ .Id -}}   !", "c2!"),
        ("{{if .State.Running}}up{{else if eq .State.ExitCode 42}}forty-two{{else}}down{{end}}", "forty-two"),
        ("{{with .State}}{{.Status}}{{$.Id}}{{end}}", "exitedc2"),
        ('{{range $i, $w := split "a,b,c" ","}}{{if $i}}-{{end}}{{$w}}{{else}}none{{end}}', "a-b-c"),
        ("{{range .Args}}x{{else}}none{{end}}", "none"),
        ('{{$x := .Id}}{{printf "%-4s|%3d|%q" $x 7 "é"}}', 'c2  |  7|"\\u00e9"'),
        ('{{(index (split "a b" " ") 1) | upper}}{{len .Id}}', "B2"),
        ("{{and .State.Running .Id}} {{or .State.Running .Id}} {{not .State.Running}}", "false c2 true"),
        ("{{.record.exit_code}} {{.isolation}}", "42 <no value>"),
        ("{{.State}}", "map[ExitCode:42 FinishedAt:2026-01-02T03:04:06 Pid:0 Running:false StartedAt:2026-01-02T03:04:05 Status:exited]"),
    ],
)  # fmt: skip
def test_dockers_templates_say_what_docker_would(mdock: Mdock, template: str, shown: str) -> None:
    assert said(mdock, "inspect", "--format", template, "c2") == shown + "\n"


def test_a_template_shows_every_word_and_steers_no_terminal(strange: Mdock) -> None:
    assert said(strange, "inspect", "--format", "{{range .Config.Cmd}}{{println .}}{{end}}", "c1").splitlines() == [
        "/bin/true", r"b\xffd", r"\xff", 'é😀"', r"\x1b[2J", ""
    ]  # fmt: skip
    assert "A=x\ny" in said(strange, "inspect", "-f", "{{.Config.Env}}", "c1")
    assert strictly(said(strange, "ps", "--format", "{{json .}}"))["Command"].startswith(r"/bin/true b\xffd")


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{.Stat}}", ".State"),
        ("{{.State.Foo}}", ".ExitCode"),
        ("{{.Args.x}}", "a list"),
        ("{{.Id.x}}", "c1"),
        ("{{", "not closed"),
        ('{{"}}', "not closed"),
        ("{{if .Id}}", "{{end}}"),
        ("{{end}}", "{{end}}"),
        ("{{nosuch .Id}}", "Functions: json"),
        ("{{.Id .Id}}", "only a function"),
        ("{{}}", "missing"),
        ("{{(.Id}}", "parenthesis"),
        ("{{$x}}", "$"),
        ("{{range .Id}}{{end}}", "range"),
        ("{{index .Args 9}}", "index"),
        ("{{.Id ! .Id}}", "!"),
        ("{{" + "(" * 500 + ".Id" + ")" * 500 + "}}", "nested"),
        ("{{if .Id}}" * 500 + "{{end}}" * 500, "nested"),
        ('{{printf "%9999999d" 1}}', "printf"),
        (('{{range split "' + "a," * 500 + '" ","}}') * 3 + "x" + "{{end}}" * 3, "steps"),
    ],
)
def test_a_template_that_is_none_is_a_usage_error_that_says_what_there_is(
    mdock: Mdock, template: str, names: str
) -> None:
    assert names in refused(mdock, "inspect", "--format", template, "c1")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec=None), max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(fields=st.dictionaries(st.text(st.characters(codec=None), max_size=3), values, max_size=4))
@example(fields={"a": "\udcff", r"\xff": 1, "\udcff": {"~/": "\ud800"}})
def test_any_object_is_strict_json_and_the_bytes_of_its_texts_are_in_it(fields: dict[str, Any]) -> None:
    found = strictly(strict_json(fields))
    for pointer, data in found.get("not_utf8", {}).items():
        if pointer.endswith("#"):
            continue
        place: Any = found
        for name in pointer.split("/")[1:]:
            place = place[int(name) if isinstance(place, list) else name.replace("~1", "/").replace("~0", "~")]
        assert re.search(r"\\x[89a-f][0-9a-f]|\\ud[89a-f]", place) and bytes.fromhex(data)


piece = st.sampled_from(
    ["{{", "}}", "{{.", "{{end}}", "{{else}}", "{{if .A}}", "{{range .L}}", "{{with .M}}", "{{.A}}", "{{json .}}", "|",
     "(", ")", '"', "`", "$", "$x", ":=", "=", ".A", ".L", ".M.B", " ", "-", "- ", " -", "len", "index", "printf", '"%d"',
     "1", "-1", "true", "nil", "\\t", "/*", "*/", "x", "é", ",", "else", "range", "end"]
)  # fmt: skip


@settings(max_examples=400)
@given(template=st.lists(piece, max_size=14).map("".join) | st.text(max_size=20))
@example(template="{{" + '"a"' * 3000)
@example(template="{{" * 30_000)
@example(template="{{range $i, := .L}}{{end}}")
def test_any_template_gives_text_or_a_usage_error(template: str) -> None:
    try:
        shown = Template(template).render({"A": "a", "L": [1, "b", None], "M": {"B": True}})
    except UsageError as error:
        assert error.message.startswith("--format: ")
    else:
        assert isinstance(shown, str)


# --- ps and images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--filter", "status=exited"], "c1 c2 c4"),
        (["--filter", "status=orphaned"], "c4"),
        (["-f", "status=killed", "-f", "status=stopped"], "c3 c10"),
        (["--filter=ancestor=other"], "c3"),
        (["--filter", "ancestor=demo:latest", "--filter", "exited=42"], "c2"),
        (["--filter", "id=c1"], "c1"),
        (["--filter", "name=c1"], "c1 c10"),
        (["--filter", "name=^c1$"], "c1"),
        (["--filter", "before=c3"], "c1 c2"),
        (["--filter", "since=c3"], "c4 c10"),
        (["-l"], "c10"),
        (["-n", "2"], "c4 c10"),
        (["-n", "1", "--filter", "ancestor=other"], "c3"),
        (["-a"], "c1 c2 c3 c4 c10"),
        (["--running"], ""),
    ],
)
def test_ps_chooses_as_docker_does(mdock: Mdock, words: list[str], ids: str) -> None:
    assert said(mdock, "ps", "-q", *words).split() == ids.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--filter", "status=paused"], "running, exited"),
        (["--filter", "status"], "="),
        (["--filter", "label=x"], "status, ancestor"),
        (["--filter", "nosuch=x"], "status, ancestor"),
        (["--filter", "name=("], "name"),
        (["--filter", "exited=x"], "0 to 255"),
        (["--format", "{{.Foo}}"], ".Names"),
        (["-n", "x"], "'x'"),
        (["--size"], "sizes are not counted"),
    ],
)
def test_ps_says_what_it_can_choose_by(mdock: Mdock, words: list[str], names: str) -> None:
    assert names in refused(mdock, "ps", *words)


def test_an_unknown_field_is_told_where_no_container_is(tmp_path: Path) -> None:
    assert ".Names" in refused(Mdock(tmp_path / "home"), "ps", "--format", "{{.Foo}}")
    assert said(Mdock(tmp_path / "home"), "ps", "--format", "{{.ID}}") == ""


def test_ps_shows_lines_tables_and_objects(mdock: Mdock) -> None:
    lines = said(mdock, "ps", "-n", "2", "--format", r"{{.ID}}\t{{.Names}} {{.Image}} {{.State}} [{{.Ports}}]")
    assert lines == "c4\tc4 demo exited (orphaned) []\nc10\tc10 demo stopped []\n"
    table = said(mdock, "ps", "-n", "2", "--format", r"table {{.ID}}\t{{.Image}}\t{{.ExitCode}}").splitlines()
    assert [line.split() for line in table] == [
        ["CONTAINER", "ID", "IMAGE", "EXIT"],
        ["c4", "demo"],
        ["c10", "demo", "143"],
    ]
    assert [strictly(line)["ID"] for line in said(mdock, "ps", "--format", "json").splitlines()] == [
        "c1",
        "c2",
        "c3",
        "c4",
        "c10",
    ]
    assert re.fullmatch(r"Exited \(0\) \d+ \w+ ago\n", said(mdock, "ps", "-f", "id=c1", "--format", "{{.Status}}"))


def test_no_trunc_shows_whole_commands(strange: Mdock) -> None:
    strange("run", "demo", "/bin/true", "x" * 100)
    assert "x" * 100 not in said(strange, "ps")
    assert "x" * 100 in said(strange, "ps", "--no-trunc")
    assert "x" * 100 in said(strange, "ps", "-l", "--no-trunc", "--format", "{{.Command}}")


def test_images_are_chosen_and_shown_as_docker_does(mdock: Mdock) -> None:
    assert said(mdock, "images", "-q", "--filter", "reference=o*") == "other\n"
    assert said(mdock, "images", "--format", "{{.Repository}}:{{.Tag}}") == "demo:latest\nother:latest\n"
    assert said(mdock, "images", "--format", r"table {{.Name}}\t{{.Tag}}").splitlines()[0].split() == ["IMAGE", "TAG"]
    assert ".Repository" in refused(mdock, "images", "--format", "{{.Foo}}")
    assert "reference" in refused(mdock, "images", "--filter", "dangling=true")


# --- build -t, logs -t, --env-file -----------------------------------------------------------------------


def test_build_takes_the_name_with_t_or_without(mdock: Mdock, demo_rootfs: Path) -> None:
    assert said(mdock, "inspect", "--format", "{{.Id}} {{.RepoTags}}", "demo") == "demo [demo]\n"
    for words in (["build"], ["build", "x"], ["build", "-t", "x"], ["build", "-t", "x", "y", str(demo_rootfs)]):
        assert "mdock build -t NAME DIR" in refused(mdock, *words)


@pytest.mark.parametrize("option", ["-t", "--timestamps", "--since=1h", "--until=1h", "-ft"])
def test_logs_says_why_it_knows_no_times(mdock: Mdock, option: str) -> None:
    assert "the program's bytes and nothing else" in refused(mdock, "logs", option, "c1")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, demo_rootfs: Path) -> Mdock:
    mdock = Mdock(tmp_path_factory.mktemp("variables") / ".mdock")
    mdock("build", "demo", str(demo_rootfs))
    return mdock


def test_variables_come_from_files_in_dockers_syntax(runner: Mdock, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(
        b'\xef\xbb\xbf# a word\n\n  A=1 \nQUOTED="a b"\r\nGIVEN\nNOT_THERE\nX=a=b\nBYTES=\xff\n#B=2'
    )
    (tmp_path / "two").write_text("X=later\nY=")
    files = ["--env-file", str(tmp_path / "one"), "--env-file", str(tmp_path / "two")]
    shown = runner("run", "-e", "Y=typed", *files, "demo", "env", GIVEN="mine").stdout.splitlines()
    assert {"A=1 ", 'QUOTED="a b"', "GIVEN=mine", "X=later", "Y=typed", "BYTES=\udcff"} <= set(shown)
    assert not [line for line in shown if line.startswith(("NOT_THERE", "B=", "#"))]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_file_of_variables_that_windows_wrote_as_utf_16_is_read(runner: Mdock, tmp_path: Path, order: str) -> None:
    (tmp_path / "file").write_bytes("\ufeffA=1\r\nB=\u00fc \U0001f40b\r\n".encode(order))
    result = runner("run", "--env-file", str(tmp_path / "file"), "demo", "sh", "-c", 'echo "$A$B"')
    assert result.stdout == "1\u00fc \U0001f40b\n", result.stderr


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"A=1\nexport B=2", "line 2"),
        (b"=x", "no name"),
        (b"A=\0", "NUL"),
        (b"A\0=1", "NUL"),
        (b"A\0=\0001\0\n\0", "UTF-8"),
        (b"\xff\xfeA\0=", "UTF-8"),
        (b"A B", "blank"),
    ],
)
def test_a_line_that_is_no_variable_is_named(runner: Mdock, tmp_path: Path, content: bytes, names: str) -> None:
    (tmp_path / "file").write_bytes(content)
    result = runner("run", "--env-file", str(tmp_path / "file"), "demo", "env")
    assert result.returncode == 125 and names in result.stderr and str(tmp_path / "file") in result.stderr


@pytest.mark.parametrize("path", ["/no/such/file", "/", "/dev/zero"])
def test_a_file_of_variables_that_is_none_is_refused(runner: Mdock, path: str) -> None:
    result = runner("run", "--env-file", path, "demo", "env")
    assert (
        result.returncode == 125
        and f"--env-file{':' if 'such' in path else ''} " in result.stderr
        and path in result.stderr
    )
