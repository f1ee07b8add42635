"""One run from request to record, with a real chroot where this machine permits it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rungs import without_chroot

from udock_lab import Runtime
from udock_lab.errors import ExecFailed, MdockError, NotFound, StepFailed, UsageError
from udock_lab.model import Isolation, Status
from udock_lab.runtime.child.plan import DEFAULT_PATH

pytestmark = pytest.mark.usefixtures("chroot_works")

SH = "/bin/sh"
EVERYTHING = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
word = st.binary(max_size=24).map(lambda data: os.fsdecode(data.replace(b"\0", b"0")))


def sh(runtime: Runtime, script: str, **options: object):  # type: ignore[no-untyped-def]
    return runtime.run("demo", [SH, "-c", script], **options)  # type: ignore[arg-type]


def events(runtime: Runtime, name: str) -> list[str]:
    return [line for line in Path(runtime.home.log).read_text().splitlines() if f"] {name} " in line]


def test_exit_code_output_and_both_records_come_home(runtime: Runtime) -> None:
    result = sh(runtime, "echo out; echo err >&2; exit 42")
    assert (result.exit_code, result.stdout, result.stderr) == (42, b"out\n", b"err\n")
    inside = Isolation.CHROOT if os.geteuid() == 0 else Isolation.USERNS
    assert result.isolation is inside and result.failure is None
    assert result.before is not None and result.before.status is Status.RUNNING and result.before.exit_code is None
    assert result.after is not None and result.after.status is Status.EXITED and result.after.exit_code == 42
    assert result.before.pid == result.pid == result.after.pid
    assert runtime.ps()[0].record == result.after


@pytest.mark.parametrize("code", [0, 1, 125, 126, 127, 128, 137, 255])
def test_every_exit_code_is_the_programs_own(runtime: Runtime, code: int) -> None:
    result = sh(runtime, f"exit {code}")
    assert result.exit_code == code and result.exit_status is not None and result.exit_status.exited
    assert result.failure is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGXFSZ])
def test_death_by_signal_is_128_plus_n_and_exited(runtime: Runtime, number: signal.Signals) -> None:
    result = sh(runtime, f"kill -{int(number)} $$; sleep 5")
    assert result.exit_code == 128 + number
    assert result.exit_status is not None and result.exit_status.signal == number
    assert result.after is not None and result.after.status is Status.EXITED


def test_steps_are_told_in_the_order_of_time(runtime: Runtime) -> None:
    result = sh(runtime, "exit 0")
    names = [step.name for step in result.steps]
    for earlier, later in zip(
        ("fork", "record_running", "gate", "chdir", "chroot", "execve"),
        ("record_running", "gate", "chdir", "chroot", "execve", "waitpid"),
        strict=True,
    ):
        assert names.index(earlier) < names.index(later), names
    assert names[-1] == "record_ended"
    assert all(step.errno == 0 for step in result.steps)


def test_record_exists_before_the_programs_first_instruction(runtime: Runtime, demo_rootfs: Path) -> None:
    """The image's rootfs holds a hard link to the table, so the program itself can look."""
    sh(runtime, ":")
    os.link(runtime.home.containers_db, f"{runtime.home.image_rootfs('demo')}/table")
    result = sh(runtime, "tail -n 1 /table")
    assert result.text.startswith(f"{result.id}|{result.pid}|demo|running|")


def test_program_sees_only_the_image_and_a_clean_environment(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    result = sh(runtime, "pwd; ls -d /root-of-host /home 2>/dev/null; env | sort", env={"A": "1 2"})
    assert result.text.splitlines()[0] == "/"
    assert "SECRET" not in result.text and "A=1 2" in result.text and "HOME=/root" in result.text


@EVERYTHING
@given(words=st.lists(word, max_size=6), value=word)
def test_any_argument_and_any_value_arrive_byte_for_byte(runtime: Runtime, words: list[str], value: str) -> None:
    script = 'printf "%s\\0" "$@" "$VALUE"'
    result = runtime.run("demo", [SH, "-c", script, "sh", *words], env={"VALUE": value})
    assert result.stdout == b"".join(os.fsencode(text) + b"\0" for text in [*words, value])
    assert runtime.ps()[-1].id == result.id
    assert (
        Path(runtime.home.log).read_bytes().decode("ascii").count("\n")
        == len(Path(runtime.home.log).read_bytes().split(b"\n")) - 1
    )


def test_working_folder_and_a_missing_one(runtime: Runtime) -> None:
    assert sh(runtime, "pwd", workdir="/tmp").text == "/tmp\n"
    result = sh(runtime, "pwd", workdir="/no/such")
    assert result.exit_code == 125 and result.failure is not None and "/no/such" in result.failure.message
    assert result.after is not None and result.after.exit_code == 125
    with pytest.raises(StepFailed):
        result.check()


def test_missing_program_is_127_recorded_logged_and_explained(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/no/such"])
    assert result.exit_code == 127 and result.after is not None and result.after.exit_code == 127
    assert result.failure is not None and "/no/such" in result.failure.message
    assert events(runtime, "EXEC_FAIL") and "ENOENT" in events(runtime, "EXEC_FAIL")[0]
    with pytest.raises(ExecFailed):
        result.check()


@pytest.mark.parametrize(
    ("name", "content", "mode", "code", "errno_name"),
    [
        ("closed", b"#!/bin/sh\n", 0o644, 126, "EACCES"),
        ("garbage", b"\x01\x02\x03 no program", 0o755, 126, "ENOEXEC"),
        ("no-interpreter", b"#!/no/interpreter\n", 0o755, 127, "ENOENT"),
    ],
)
def test_program_that_cannot_be_run_is_explained_from_what_is_on_disk(
    runtime: Runtime, name: str, content: bytes, mode: int, code: int, errno_name: str
) -> None:
    path = Path(runtime.home.image_rootfs("demo")) / name
    path.write_bytes(content)
    path.chmod(mode)
    result = runtime.run("demo", [f"/{name}"])
    assert result.exit_code == code and result.failure is not None and result.failure.message
    assert errno_name in events(runtime, "EXEC_FAIL")[0]


def test_huge_argument_list_is_126_and_everything_goes_on(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/true", *["x" * 100_000] * 40])
    assert result.exit_code == 126 and result.failure is not None
    assert result.after is not None and result.after.exit_code == 126
    assert sh(runtime, "exit 3").exit_code == 3


def test_megabyte_on_standard_input_arrives_whole(runtime: Runtime) -> None:
    assert sh(runtime, "wc -c", stdin=b"x" * (1 << 20)).text.strip() == str(1 << 20)
    script = "#" * (1 << 20) + "\necho read to the end\n"
    assert runtime.run("demo", [SH], stdin=script).text == "read to the end\n"


def test_no_standard_input_is_end_of_file(runtime: Runtime) -> None:
    assert sh(runtime, "cat; echo $?").text == "0\n"


def test_descriptor_as_standard_input_is_inherited(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("from a file\n")
    with open(tmp_path / "in", "rb") as file:
        assert sh(runtime, "cat", stdin=file.fileno()).text == "from a file\n"


def test_output_comes_live_in_order_and_whole(runtime: Runtime) -> None:
    """Each word but the first is said when the one before has been heard."""
    heard: list[tuple[str, bytes]] = []
    place = Path(runtime.home.image_rootfs("demo"), "tmp")
    place.mkdir(exist_ok=True)

    def hear(stream: str, data: bytes) -> None:
        heard.append((stream, data))
        (place / f"heard-{len(heard)}").touch()

    waits = "until test -e /tmp/heard-%d; do sleep 0.02; done"
    result = sh(runtime, f"echo one; {waits % 1}; echo two >&2; {waits % 2}; echo three", on_output=hear)
    assert heard == [("stdout", b"one\n"), ("stderr", b"two\n"), ("stdout", b"three\n")]
    assert Path(result.log_path).read_bytes() == b"one\ntwo\nthree\n" == runtime.logs(result.id)


def test_ten_megabytes_are_complete_in_the_log_and_bounded_in_the_result(runtime: Runtime) -> None:
    size = 10 << 20
    seen = 0

    def count(stream: str, data: bytes) -> None:
        nonlocal seen
        seen += len(data)

    result = sh(runtime, f"head -c {size} /dev/zero", stdin=None, on_output=count) if _has_zero(runtime) else None
    if result is None:
        result = sh(runtime, f"yes 1234567 | head -c {size}", on_output=count)
    assert seen == size == os.path.getsize(result.log_path)
    assert len(result.stdout) == 1 << 20


def _has_zero(runtime: Runtime) -> bool:
    return os.path.exists(f"{runtime.home.image_rootfs('demo')}/dev/zero")


def test_full_log_ends_in_a_notice_while_the_program_runs_on(runtime: Runtime, demo_rootfs: Path) -> None:
    code = (
        "from udock_lab import Runtime\n"
        "r = Runtime(forked=True).run('demo', ['/bin/sh', '-c', 'yes 123 | head -c 100000; exit 9'])\n"
        "print(r.id, r.exit_code, len(r.stdout))"
    )
    env = os.environ | {"MDOCK_LOG_LIMIT": "1000"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=30)
    container_id, code_text, length = done.stdout.split()
    assert (code_text, length) == ("9", "100000"), done.stderr
    log = runtime.logs(container_id)
    assert log[:1000] == b"123\n" * 250
    assert b"[mdock]" in log[1000:] and b"full" in log[1000:] and len(log) < 1100


@pytest.mark.parametrize(
    ("options", "script", "wanted"),
    [
        ({"files": 20}, "ulimit -n", "20"),
        ({"memory": 64 << 20}, "ulimit -v", str(64 << 10)),
        ({"cpu": 7}, "ulimit -t", "7"),
    ],
)
def test_limit_is_what_the_kernel_enforces(runtime: Runtime, options: dict[str, int], script: str, wanted: str) -> None:
    assert sh(runtime, script, **options).text.strip() == wanted


def test_processor_time_ends_in_sigxcpu_and_is_named(runtime: Runtime) -> None:
    said: list[str] = []
    result = sh(runtime, "while :; do :; done", cpu=1, on_note=said.append)
    assert result.exit_status is not None and result.exit_status.signal_name == "SIGXCPU"
    assert result.exit_code == 128 + signal.SIGXCPU
    assert (
        said
        == ["c1 used up its processor time (RLIMIT_CPU, --cpu 1): SIGXCPU, exit code 152 = 128 + 24."]
        == list(result.notes)
    )


def test_process_below_the_first_that_uses_up_its_time_is_named_too(runtime: Runtime) -> None:
    result = sh(runtime, "sh -c 'while :; do :; done'; exit $?", cpu=1)
    assert result.exit_status is not None and result.exit_status.code == 152
    assert result.notes[0].startswith("A process of c1 used up its processor time")


def test_program_that_ignores_sigxcpu_is_killed_and_the_limit_is_named(runtime: Runtime) -> None:
    result = sh(runtime, "trap '' XCPU; while :; do :; done", cpu=1)
    assert result.exit_code == 137
    assert "--cpu 1" in result.notes[0] and "SIGKILL" in result.notes[0]


def test_killed_by_a_person_is_not_blamed_on_a_limit(runtime: Runtime) -> None:
    detached = sh(runtime, "sleep 60", cpu=1, memory=1 << 26, detach=True)
    runtime.kill(detached.id)
    killed = sh(runtime, "kill -SEGV $$; sleep 5")
    assert killed.exit_code == 139 and not killed.notes


@pytest.mark.parametrize("memory", [4096, 1 << 20])
def test_memory_limit_too_small_to_start_is_explained(runtime: Runtime, memory: int) -> None:
    said: list[str] = []
    result = runtime.run("demo", ["/bin/true"], memory=memory, on_note=said.append)
    assert result.exit_code not in (0, None)
    assert ("--mem" in said[0] and "Give it more" in said[0]) or "raise it" in said[0]


def test_each_folder_of_path_that_was_tried_stands_in_the_steps(runtime: Runtime) -> None:
    calls = [step.call for step in runtime.run("demo", ["nosuch"]).steps if step.name == "execve"]
    assert calls == [f'execve("{folder}/nosuch", ["nosuch"])' for folder in DEFAULT_PATH.split(":")]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-e", "A=1", "env"], "before the image's name"),
        (["--", "ls"], "One -- is enough"),
        (["ls /"], "separate words: mdock run demo ls /"),
        (["/bin/ls /"], "separate words: mdock run demo /bin/ls /"),
    ],
)
def test_words_of_mdock_behind_the_image_are_pointed_out(runtime: Runtime, argv: list[str], said: str) -> None:
    failure = runtime.run("demo", argv).failure
    assert failure is not None and said in failure.hint


def test_file_as_working_folder_is_told_from_a_missing_one(runtime: Runtime) -> None:
    failure = sh(runtime, "pwd", workdir="/etc/passwd").failure
    assert failure is not None and "file" in failure.hint


def test_private_copy_is_private_and_gone_with_its_record(runtime: Runtime) -> None:
    result = sh(runtime, "echo x > /written; ls /written", copy=True)
    assert result.text == "/written\n"
    assert sh(runtime, "ls /written").exit_code != 0
    assert [name for name in os.listdir(runtime.home.run_dir) if name.startswith("copy-")]
    runtime.rm(result.id)
    assert not [name for name in os.listdir(runtime.home.run_dir) if name.startswith("copy-")]


def test_images_files_are_shared_between_plain_runs(runtime: Runtime) -> None:
    sh(runtime, "echo shared > /tmp/note")
    assert sh(runtime, "cat /tmp/note").text == "shared\n"


def test_removed_at_the_end_leaves_no_record_log_or_folder(runtime: Runtime) -> None:
    result = sh(runtime, "echo hello", remove=True, copy=True)
    assert result.text == "hello\n" and runtime.ps() == []
    assert os.listdir(runtime.home.logs_dir) == [] and os.listdir(runtime.home.containers_dir) == []
    assert not [name for name in os.listdir(runtime.home.run_dir) if name.startswith("copy-")]


def test_user_namespace_gives_root_inside_or_says_why_not(runtime: Runtime) -> None:
    result = sh(runtime, "cat /proc/self/uid_map 2>/dev/null; id -u", userns=True)
    if result.failure is not None:
        assert "doctor" in result.failure.hint
        pytest.skip("needs privilege: user namespaces are refused here")
    assert result.isolation is Isolation.USERNS and result.text.split()[-1] == "0"


def test_each_of_the_four_calls_of_a_user_namespace_stands_in_the_timeline(runtime: Runtime) -> None:
    result = sh(runtime, "exit 0", userns=True)
    if result.failure is not None:
        pytest.skip("needs privilege: user namespaces are refused here")
    calls = [step.call for step in result.steps if step.who == "child"]
    at = calls.index("unshare(CLONE_NEWUSER)")
    assert calls[at : at + 4] == [
        "unshare(CLONE_NEWUSER)",
        'write(open("/proc/self/setgroups"), "deny")',
        f'write(open("/proc/self/uid_map"), "0 {os.geteuid()} 1")',
        f'write(open("/proc/self/gid_map"), "0 {os.getegid()} 1")',
    ]
    assert [step.errno for step in result.steps if step.call in calls[at : at + 4]] == [0, 0, 0, 0]


def test_missing_image_is_named_with_a_hint(runtime: Runtime) -> None:
    with pytest.raises(NotFound) as caught:
        runtime.run("nosuchimage", ["/bin/true"])
    assert "Image 'nosuchimage' not found" in caught.value.message and caught.value.hint


def test_container_id_in_place_of_an_image_leads_to_exec(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="mdock exec c7 PROGRAM"):
        runtime.run("c7", [SH])


def test_vanished_root_is_a_message_of_its_own(runtime: Runtime) -> None:
    shutil.rmtree(runtime.home.image_rootfs("demo"))
    with pytest.raises(MdockError) as caught:
        sh(runtime, ":")
    assert "demo" in caught.value.message and caught.value.hint


@pytest.mark.parametrize("argv", ["/bin/true -x", ["a\0b"], [""]])
def test_words_that_cannot_be_meant_are_refused_before_an_id_is_spent(runtime: Runtime, argv: object) -> None:
    with pytest.raises(UsageError):
        runtime.run("demo", argv)  # type: ignore[arg-type]
    assert sh(runtime, ":").id == "c1"


def test_fork_inside_the_picture_without_a_spare(runtime: Runtime) -> None:
    sh(runtime, ":")
    result = sh(runtime, ":", spare=False)
    fork = next(step for step in result.steps if step.name == "fork")
    gate = next(step for step in result.steps if step.name == "open_gate")
    assert 0 < gate.start - fork.start < 1_000_000_000
    spared = sh(runtime, ":")
    assert next(step for step in spared.steps if step.name == "fork").errno == 0


def test_chdir_only_where_chroot_is_refused(runtime: Runtime, demo_rootfs: Path) -> None:
    without = without_chroot(runtime)
    (Path(runtime.home.image_rootfs("demo")) / "mark").write_text("inside\n")
    shutil.copy("/bin/ls", Path(runtime.home.image_rootfs("demo")) / "bin/host-ls")
    code = (
        "from udock_lab import Runtime\n"
        "said = []\n"
        "r = Runtime(forked=True).run('demo', ['/bin/sh', '-c', 'cat mark; exit 5'], on_note=said.append)\n"
        "print(r.isolation.value, r.exit_code, r.text.strip(), sep='|')\n"
        "print(said[0])\n"
        "r = Runtime(forked=True).run('demo', ['cat', 'mark'])\n"
        "print(r.exit_code)\n"
        "r = Runtime(forked=True).run('demo', ['/etc/hostname-of-nobody'])\n"
        "print(r.exit_code)\n"
        "r = Runtime(forked=True).run('demo', ['cat', 'mark'], files=1)\n"
        "print(r.exit_code, r.failure and r.failure.hint)\n"
        "dynamic = sorted(n for n in Runtime(forked=True).run('demo', ['/bin/host-ls']).notes if 'loader' in n)\n"
        "print(dynamic, len([n for n in r.notes if 'User namespaces work' not in n]))\n"
    )
    done = subprocess.run(
        [*without, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == "chdir|5|inside", done.stderr
    assert lines[1] == "chroot failed (need root). Running with chdir only."
    assert lines[2:4] == ["0", "127"]
    assert lines[4].startswith("126 ") and "--files 16" in lines[4]
    assert lines[5] == '["The program is dynamic: it runs with this machine\'s own loader and libraries here."] 1'
    assert runtime.ps()[0].isolation is Isolation.CHDIR
    assert runtime.inspect("c1").data["isolation"] == "chdir"


def test_log_of_events_tells_the_whole_story(runtime: Runtime) -> None:
    sh(runtime, "exit 4")
    text = Path(runtime.home.log).read_text()
    assert [re.match(r"\[[^]]+\] (\w+) ", line).group(1) for line in text.splitlines()] == ["BUILD", "RUN", "EXIT"]  # type: ignore[union-attr]
    assert "code=4" in text
