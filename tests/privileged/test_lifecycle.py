"""Detached containers, their end, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rungs import without_chroot
from waiting import until

from udock_lab import Runtime
from udock_lab.errors import Conflict, MdockError, NotFound, Unsupported
from udock_lab.linux.process import descendants, parent
from udock_lab.model import Isolation, Record, RunResult, Status

pytestmark = pytest.mark.usefixtures("chroot_works")


WAITS = "until test -e /tmp/go; do sleep 0.02; done"


def background(runtime: Runtime, script: str, **options: object) -> RunResult:
    return runtime.run("demo", ["/bin/sh", "-c", script], detach=True, **options)  # type: ignore[arg-type]


def go_on(runtime: Runtime) -> None:
    """Let go on what WAITS in the image demo."""
    place = Path(runtime.home.image_rootfs("demo"), "tmp")
    place.mkdir(exist_ok=True)
    (place / "go").touch()


def with_argument(mark: str) -> list[int]:
    """Processes on this machine that carry this very word."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark.encode() in words:
                found.append(int(name))
    return found


def test_detached_run_returns_at_once_and_is_recorded_to_its_end(runtime: Runtime) -> None:
    result = background(runtime, f"echo begun; {WAITS}; echo done; exit 6")
    assert result.detached and result.exit_code is None
    assert runtime.ps(running=True)[0].id == result.id
    go_on(runtime)
    record = runtime.wait(result.id)
    assert (record.status, record.exit_code) == (Status.EXITED, 6)
    assert runtime.logs(result.id) == b"begun\ndone\n"


def test_detached_program_that_never_starts_says_so_at_once(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/no/such"], detach=True)
    assert result.exit_code == 127 and result.failure is not None


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("echo up; exec sleep 60", Status.STOPPED, 143),
        ("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", Status.STOPPED, 9),
        ("trap '' TERM; echo up; while :; do sleep 0.05; done", Status.KILLED, 137),
    ],
)
def test_stop_records_how_it_ended_and_nothing_overwrites_it(
    runtime: Runtime, script: str, status: Status, code: int
) -> None:
    result = background(runtime, script)
    assert until(lambda: runtime.logs(result.id) == b"up\n")
    supervisor = parent(result.pid or 0) or 0
    record = runtime.stop(result.id, timeout=0.6)
    assert (record.status, record.exit_code) == (status, code) and record.end_time
    assert until(lambda: result.pid not in descendants(supervisor))  # which has written its last word by then
    assert runtime.ps()[0].record == record == runtime.wait(result.id)


def test_stop_returns_as_soon_as_the_process_is_gone(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    assert runtime.stop(result.id, timeout=100_000).exit_code == 143  # who waited for that would never get here


def test_stop_of_a_stopped_process_does_not_need_the_kill(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    os.kill(result.pid, signal.SIGSTOP)
    record = runtime.stop(result.id, timeout=3)
    assert (record.status, record.exit_code) == (Status.STOPPED, 143)


def test_stop_of_an_ended_container_changes_nothing(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/true"])
    assert runtime.stop(result.id) == result.after


def test_kill_is_137_and_another_signal_is_the_programs_affair(runtime: Runtime) -> None:
    first, second = (
        background(runtime, "exec sleep 60"),
        background(runtime, "trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done"),
    )
    record = runtime.kill(first.id)
    assert (record.status, record.exit_code) == (Status.KILLED, 137)
    assert until(lambda: b"ready" in runtime.logs(second.id))
    runtime.kill(second.id, signal.SIGHUP)
    assert until(lambda: b"hup" in runtime.logs(second.id))
    assert runtime.ps(running=True)[0].id == second.id
    with pytest.raises(Conflict):
        runtime.kill(first.id)


def test_signal_from_elsewhere_is_exited_with_128_plus_n(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    os.kill(result.pid, signal.SIGKILL)
    record = runtime.wait(result.id)
    assert (record.status, record.exit_code) == (Status.EXITED, 137)


LEFTOVERS = {
    "background job": "sleep 3{n} & exit 0",
    "whole family": "(sleep 3{n} & sleep 3{n} & wait) & (sleep 3{n}) & exit 0",
    "setsid daemon": "setsid sleep 3{n} & exit 0",
    "double-forked setsid daemon": "(setsid sh -c 'sleep 3{n} & sleep 3{n} & wait' >/dev/null 2>&1 </dev/null &) ; exit 0",
    "one that ignores signals": "(trap '' TERM HUP INT; sleep 3{n}; sleep 3{n}) & exit 0",
}


@pytest.mark.parametrize("kind", LEFTOVERS)
def test_what_a_container_leaves_running_is_gone_within_a_second(runtime: Runtime, kind: str) -> None:
    mark = "3" + str(time.monotonic_ns())[-8:]
    result = runtime.run(
        "demo", ["/bin/sh", "-c", LEFTOVERS[kind].replace("3{n}", mark).replace("exit 0", "sleep 0.1; exit 0")]
    )
    assert result.exit_code == 0
    assert until(lambda: not with_argument(mark))


@pytest.mark.parametrize("kind", LEFTOVERS)
def test_stop_ends_the_whole_container(runtime: Runtime, kind: str) -> None:
    mark = "3" + str(time.monotonic_ns())[-8:]
    result = background(runtime, LEFTOVERS[kind].replace("3{n}", mark).replace("exit 0", "exec sleep 60"))
    assert until(lambda: with_argument(mark))
    runtime.stop(result.id, timeout=2)
    assert until(lambda: not with_argument(mark))


def test_neighbour_is_spared_when_leftovers_are_swept(runtime: Runtime) -> None:
    mark = "6" + str(time.monotonic_ns())[-8:]
    neighbour = background(runtime, "(setsid sleep 60 &); exec sleep 60")
    for _ in range(5):
        runtime.run("demo", ["/bin/sh", "-c", f"setsid sleep {mark} & exit 0"])
    assert until(lambda: not with_argument(mark))
    assert runtime.ps(running=True)[0].id == neighbour.id
    assert len(Path(f"/proc/{neighbour.pid}/task/{neighbour.pid}/children").read_text().split()) == 1
    runtime.kill(neighbour.id)


def test_two_hundred_processes_that_multiply_are_stopped_fully(runtime: Runtime) -> None:
    mark = "4" + str(time.monotonic_ns())[-8:]
    script = (
        f"i=0; while [ $i -lt 100 ]; do (setsid sh -c 'sleep {mark} & sleep {mark}' &); i=$((i+1)); done; exec sleep 60"
    )
    result = background(runtime, script)
    assert until(lambda: len(with_argument(mark)) >= 200, 20)
    runtime.stop(result.id, timeout=3)
    assert until(lambda: not with_argument(mark))


def test_container_that_keeps_forking_is_stopped_fully(runtime: Runtime) -> None:
    mark = "5" + str(time.monotonic_ns())[-8:]
    script = f"(setsid sh -c 'i=0; while [ $i -lt 3000 ]; do sleep {mark} & sleep 0.002; i=$((i+1)); done' &); sleep 0.3; exit 0"
    runtime.run("demo", ["/bin/sh", "-c", script])
    assert until(lambda: not with_argument(mark))
    assert not until(lambda: with_argument(mark), 0.3), "nobody goes on forking"


def test_exec_enters_the_same_root_and_ends_with_its_container(runtime: Runtime) -> None:
    result = background(runtime, "echo mine > /tmp/here; exec sleep 60", copy=True)
    assert until(lambda: runtime.exec(result.id, ["/bin/cat", "/tmp/here"]).text == "mine\n")
    assert runtime.exec(result.id, ["/bin/sh", "-c", "exit 8"]).exit_code == 8
    ended: list[RunResult] = []
    mark = "7" + str(time.monotonic_ns())[-8:]
    thread = threading.Thread(target=lambda: ended.append(runtime.exec(result.id, ["/bin/sleep", mark])))
    thread.start()
    assert until(lambda: with_argument(mark))
    runtime.stop(result.id)
    thread.join(20)
    assert ended and ended[0].exit_code == 137
    with pytest.raises(Conflict):
        runtime.exec(result.id, ["/bin/true"])
    assert len(runtime.ps()) == 1


def test_exec_starts_with_the_containers_variables_folder_and_limits(runtime: Runtime) -> None:
    started = runtime.run(
        "demo", ["/bin/sleep", "60"], env={"A": "1", "B": "2"}, workdir="/tmp", files=77, cpu=1, detach=True
    )
    result = runtime.exec(started.id, ["/bin/sh", "-c", "echo $A $B; pwd; ulimit -n"], env={"B": "3"})
    assert result.text == "1 3\n/tmp\n77\n"
    spent = runtime.exec(started.id, ["/bin/sh", "-c", "while :; do :; done"])
    assert spent.notes[0].startswith(f"The program that exec started in {started.id} used up its processor time")
    runtime.kill(started.id)


def test_exec_where_chroot_is_refused_warns_and_stays_in_the_image(runtime: Runtime) -> None:
    without = without_chroot(runtime)

    def mdock(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*without, sys.executable, "-m", "udock_lab.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)

    started = mdock("run", "-d", "demo", "sleep", "60")
    warning = "[mdock] chroot failed (need root). Running with chdir only.\n"
    assert started.stdout == "c1\n" and started.stderr.startswith(warning)
    looked = mdock("exec", "-w", "/etc", "c1", "pwd")
    assert (looked.stdout, looked.stderr) == (f"{runtime.home.image_rootfs('demo')}/etc\n", warning)
    assert mdock("exec", "c1", "nosuch").returncode == 127
    assert runtime.stop("c1").exit_code == 143


def test_exec_enters_the_user_namespace_of_its_container(runtime: Runtime) -> None:
    started = runtime.run("demo", ["/bin/sleep", "60"], userns=True, detach=True)
    if started.failure is not None:
        pytest.skip("needs privilege: user namespaces are refused here")
    assert runtime.exec(started.id, ["/bin/sh", "-c", "id -u; exit 4"]).text == "0\n"
    joined = runtime.exec(started.id, ["/bin/true"], on_output=None)
    assert joined.isolation is Isolation.USERNS and joined.exit_code == 0
    assert [step.errno for step in joined.steps if step.name == "setns"] == [0]
    runtime.kill(started.id)


def test_exec_says_which_layers_it_cannot_enter_and_leaves_none_out(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    spec = Path(runtime.home.container_dir(result.id)) / "spec.json"
    stored = json.loads(spec.read_text())
    assert stored["layers"] == []
    spec.write_text(json.dumps(stored | {"layers": [["moon", "full"]]}))
    with pytest.raises(Unsupported, match="moon"):
        runtime.exec(result.id, ["/bin/true"])
    runtime.kill(result.id)


def test_rm_refuses_a_running_container_and_force_kills_it(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    with pytest.raises(Conflict):
        runtime.rm(result.id)
    assert runtime.ps(running=True)
    runtime.rm(result.id, force=True)
    assert runtime.ps() == [] and not os.path.exists(f"/proc/{result.pid}")


def test_ids_are_not_reused_after_rm(runtime: Runtime) -> None:
    for number in (1, 2, 3):
        result = runtime.run("demo", ["/bin/true"])
        assert result.id == f"c{number}"
        runtime.rm(result.id)
    with pytest.raises(NotFound):
        runtime.logs("c1")


def test_prune_takes_the_ended_and_leaves_the_running(runtime: Runtime) -> None:
    running = background(runtime, "exec sleep 60")
    ended = [runtime.run("demo", ["/bin/true"]).id for _ in range(3)]
    assert runtime.prune() == ended
    assert [container.id for container in runtime.ps()] == [running.id]


def test_ten_thousand_are_pruned_at_once(runtime: Runtime) -> None:
    line = "c{}|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0\n"
    Path(runtime.home.containers_db).write_text("".join(line.format(number) for number in range(1, 10_001)))
    assert len(runtime.prune()) == 10_000
    assert runtime.ps() == []


def test_pruning_where_nothing_ever_ran_makes_no_home(tmp_path: Path) -> None:
    assert Runtime(tmp_path / "nowhere").prune() == []
    assert not (tmp_path / "nowhere").exists()


def test_pruning_takes_the_private_copies_that_nobody_will_use(runtime: Runtime) -> None:
    used = runtime.run("demo", ["/bin/sleep", "60"], copy=True, detach=True)
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    run = Path(runtime.home.run_dir)
    (left, making) = (run / f"copy-{gone.pid}-0123456789ab", run / f"copy-{os.getpid()}-0123456789ab")
    for folder in (left, making):
        (folder / "rootfs").mkdir(parents=True)
    runtime.prune()
    assert not left.exists() and making.exists()
    assert runtime.exec(used.id, ["/bin/true"]).exit_code == 0
    making.joinpath("rootfs").rmdir()
    making.rmdir()


def test_a_demo_killed_half_way_leaves_nothing_that_the_next_does_not_remove(runtime: Runtime) -> None:
    runtime.rmi("demo")
    code = (
        "import os, sys; from udock_lab import Runtime; from udock_lab.runtime.image import rootfs\n"
        "rootfs._Maker.add_files = lambda self: os.kill(os.getpid(), 9)\n"
        "Runtime(sys.argv[1]).demo()"
    )
    subprocess.run([sys.executable, "-c", code, runtime.home.path], check=False)
    assert len(os.listdir(runtime.home.images_dir)) == 1 and runtime.images() == []
    runtime.demo()
    assert os.listdir(runtime.home.images_dir) == ["demo"]
    assert not [name for name in os.listdir(runtime.home.run_dir) if name.startswith("demo")]


def test_waiting_for_a_container_that_removes_itself_gives_its_exit_code(runtime: Runtime) -> None:
    result = background(runtime, f"{WAITS}; exit 6", remove=True)
    later = threading.Timer(1.0, go_on, [runtime])  # somebody waits by then: removed, it could not be waited for
    later.start()
    record = runtime.wait(result.id)
    later.join()
    assert (record.status, record.exit_code) == (Status.EXITED, 6)
    assert runtime.ps() == []


@pytest.mark.parametrize(("end", "status", "code"), [("stop", Status.STOPPED, 143), ("kill", Status.KILLED, 137)])
def test_ending_a_container_that_removes_itself_is_no_error(
    runtime: Runtime, end: str, status: Status, code: int
) -> None:
    result = background(runtime, "exec sleep 60", remove=True)
    record: Record = getattr(runtime, end)(result.id)
    assert (record.status, record.exit_code) == (status, code)
    assert runtime.ps() == []


def test_forced_removal_of_a_container_that_removes_itself_is_no_error(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60", remove=True)
    runtime.rm(result.id, force=True)
    assert runtime.ps() == []
    with pytest.raises(NotFound):
        runtime.rm(result.id, force=True)


def test_a_container_that_ends_while_it_is_listed_is_never_called_orphaned(runtime: Runtime) -> None:
    """In the command line's way, where the supervisor is gone at once."""
    code = "from udock_lab.cli import command; command()"
    mdock = [sys.executable, "-c", code, "run", "demo", "/bin/true"]
    seen = set()
    with subprocess.Popen(["/bin/sh", "-c", 'for i in 1 2 3 4 5 6 7 8; do "$@"; done', "sh", *mdock]) as many:
        while many.poll() is None:
            seen |= {container.state for container in runtime.ps()}
    assert seen <= {"running", "exited"}


def test_image_in_use_cannot_be_removed(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/true"])
    with pytest.raises(Conflict) as caught:
        runtime.rmi("demo")
    assert result.id in str(caught.value)
    runtime.rm(result.id)
    runtime.rmi("demo")
    assert runtime.images() == []


def test_following_a_log_ends_with_its_container(runtime: Runtime) -> None:
    result = background(runtime, "for i in 1 2 3; do echo $i; sleep 0.1; done")
    assert b"".join(runtime.follow_logs(result.id)) == b"1\n2\n3\n"
    assert runtime.logs(result.id, tail=1) == b"3\n"
    assert b"".join(runtime.follow_logs(result.id, tail=2)) == b"2\n3\n"


def test_following_a_log_ends_when_its_container_is_removed(runtime: Runtime) -> None:
    result = background(runtime, "echo begun; exec sleep 60")
    follower = runtime.follow_logs(result.id)
    assert next(follower) == b"begun\n"
    runtime.rm(result.id, force=True)
    assert b"".join(follower) == b""


def test_a_lost_log_is_empty_and_no_error(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/echo", "hello"])
    os.unlink(result.log_path)
    assert runtime.logs(result.id) == b"".join(runtime.follow_logs(result.id, tail=3)) == b""


def test_what_runs_goes_on_in_the_image_as_it_was_when_a_forced_build_replaces_it(
    runtime: Runtime, demo_rootfs: Path, tmp_path: Path
) -> None:
    ended, first, second = (
        runtime.run("demo", ["/bin/true"]),
        background(runtime, "while ! test -e /end; do sleep 0.02; done; cat /old; exit 7"),
        background(runtime, "exec sleep 60"),
    )
    Path(runtime.home.image_rootfs("demo"), "old").write_text("as it was")
    notes: list[str] = []
    runtime.build("demo", demo_rootfs, force=True, on_note=notes.append)
    assert notes == [f"What runs already goes on in the image as it was: {first.id}, {second.id}."]
    assert runtime.exec(first.id, ["/bin/cat", "/old"]).stdout == b"as it was"
    assert runtime.run("demo", ["/bin/cat", "/old"]).exit_code == 1

    runtime.exec(second.id, ["/bin/touch", "/end"])
    assert runtime.wait(first.id).exit_code == 7 and runtime.logs(first.id) == b"as it was"
    runtime.rm(first.id)
    assert runtime.exec(second.id, ["/bin/cat", "/old"]).exit_code == 0, "it is still used"
    runtime.rm(second.id, force=True)
    assert not [name for name in os.listdir(runtime.home.run_dir) if name.startswith("kept-")]
    assert runtime.ps()[0].id == ended.id


def test_uptime_grows_and_is_none_after_the_end(runtime: Runtime) -> None:
    result = background(runtime, "exec sleep 60")
    uptime = runtime.ps()[0].uptime
    assert uptime is not None and 0 <= uptime < 5
    runtime.kill(result.id)
    assert runtime.ps()[0].uptime is None


def test_many_detached_containers_at_once_under_one_launcher(runtime: Runtime) -> None:
    ids = [background(runtime, f"{WAITS}; exit {number}").id for number in range(20)]
    go_on(runtime)
    assert [runtime.wait(container_id).exit_code for container_id in ids] == list(range(20))


def test_runs_from_several_threads_of_one_process(runtime: Runtime) -> None:
    results: dict[int, RunResult] = {}

    def work(number: int) -> None:
        results[number] = runtime.run("demo", ["/bin/sh", "-c", f"echo {number}; exit {number}"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {n: (r.exit_code, r.text) for n, r in results.items()} == {n: (n, f"{n}\n") for n in range(12)}
    assert len({result.id for result in results.values()}) == 12


ONE_RUN = "from udock_lab import Runtime; print(Runtime(forked=True).run('demo', ['/bin/sh', '-c', 'exit 7']).id)"


def many_at_once(runtime: Runtime, count: int) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", ONE_RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    said = [process.communicate(timeout=300) for process in started]
    ids = [out.strip() for out, _ in said]
    assert len(set(ids)) == count and "" not in ids, [err for _, err in said if err][:3]
    assert until(lambda: all(container.record.end_time for container in runtime.ps()))
    found = runtime.ps()
    assert {container.id for container in found} == set(ids) and len(found) == count
    assert {container.record.exit_code for container in found} == {7}
    assert runtime.complaints() == []


def test_forty_runs_at_once_from_separate_processes_get_forty_ids(runtime: Runtime) -> None:
    many_at_once(runtime, 40)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_hundred_runs_at_once_from_separate_processes_get_two_hundred_ids(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDOCK_LOCK_TIMEOUT", "60")
    many_at_once(runtime, 200)


def test_waiting_for_an_orphan_is_an_error_and_rm_takes_it(runtime: Runtime) -> None:
    code = (
        "from udock_lab import Runtime\n"
        "r = Runtime(forked=True).run('demo', ['/bin/sleep', '60'], detach=True)\n"
        "print(r.id, r.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    container_id, pid = done.stdout.split()
    supervisor = runtime.inspect(container_id).data["spec"]["supervisor"]  # type: ignore[index]
    os.kill(supervisor, signal.SIGKILL)
    assert until(lambda: not os.path.exists(f"/proc/{supervisor}") or _zombie(supervisor))
    assert runtime.ps()[0].alive
    os.kill(int(pid), signal.SIGKILL)
    assert until(lambda: not runtime.ps()[0].alive)
    assert runtime.ps()[0].state == "exited (orphaned)"
    assert runtime.ps()[0].record.status is Status.RUNNING
    with pytest.raises(MdockError, match="orphan"):
        runtime.wait(container_id)
    runtime.rm(container_id)
    assert runtime.ps() == []


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_stop_without_a_supervisor_still_ends_and_records(runtime: Runtime) -> None:
    mark = "6" + str(time.monotonic_ns())[-8:]
    code = (
        "from udock_lab import Runtime\n"
        f"r = Runtime(forked=True).run('demo', ['/bin/sh', '-c', '(setsid sleep {mark} &); exec sleep 60'], detach=True)\n"
        "print(r.id)"
    )
    container_id = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30
    ).stdout.strip()
    assert until(lambda: with_argument(mark))
    os.kill(runtime.inspect(container_id).data["spec"]["supervisor"], signal.SIGKILL)  # type: ignore[index]
    record = runtime.stop(container_id, timeout=2)
    assert (record.status, record.exit_code) == (Status.STOPPED, 143) and record.end_time
    assert until(lambda: not with_argument(mark))


def test_caller_killed_by_sigkill_has_its_container_stopped_and_recorded(runtime: Runtime) -> None:
    code = "from udock_lab import Runtime; Runtime(forked=True).run('demo', ['/bin/sh', '-c', %r])"
    script = "trap 'exit 11' TERM; echo up; while :; do sleep 0.05; done"
    caller = subprocess.Popen([sys.executable, "-c", code % script])
    assert until(lambda: runtime.ps(running=True) and runtime.logs("c1") == b"up\n")
    caller.kill()
    caller.wait()
    assert until(lambda: runtime.ps()[0].record.end_time)
    assert runtime.ps()[0].record.exit_code == 11


def test_detached_container_survives_kill_9_of_its_caller(runtime: Runtime) -> None:
    code = (
        "import time; from udock_lab import Runtime\n"
        f"Runtime(forked=True).run('demo', ['/bin/sh', '-c', '{WAITS}; echo end; exit 12'], detach=True)\n"
        "print('left', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None and caller.stdout.readline() == "left\n"
        caller.kill()
    go_on(runtime)
    assert runtime.wait("c1").exit_code == 12
    assert runtime.logs("c1") == b"end\n"


def test_caller_without_standard_files_can_run(runtime: Runtime) -> None:
    code = "import os; [os.close(n) for n in (0, 1, 2)]\n" + ONE_RUN.replace("print(", "(")
    done = subprocess.run([sys.executable, "-c", code], timeout=30)
    assert done.returncode == 0
    assert until(lambda: runtime.ps() and runtime.ps()[0].record.exit_code == 7)


def test_cli_without_standard_files_exits_with_the_containers_code(runtime: Runtime) -> None:
    command = f"exec {sys.executable} -m udock_lab.cli run demo -- /bin/sh -c 'echo x; exit 13' <&- >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", command], timeout=30).returncode == 13


def test_launcher_ends_after_its_last_detached_container(runtime: Runtime) -> None:
    runtime.run("demo", ["/bin/true"])
    launcher = runtime.launcher_pid
    assert launcher is not None
    result = background(runtime, f"{WAITS}; exit 3")
    runtime.close()
    assert os.path.exists(f"/proc/{launcher}") and not _zombie(launcher)
    go_on(runtime)
    assert runtime.wait(result.id).exit_code == 3
    assert until(lambda: _zombie(launcher))


def test_spare_that_somebody_killed_is_replaced(runtime: Runtime) -> None:
    assert runtime.run("demo", ["/bin/true"]).exit_code == 0
    launcher = runtime.launcher_pid or 0
    assert until(lambda: len(descendants(launcher)) >= 2)  # the forker, and the spare below it
    spare = next(pid for pid in descendants(launcher) if not descendants(pid))
    os.kill(spare, signal.SIGKILL)
    assert until(lambda: spare not in descendants(launcher))
    assert [runtime.run("demo", ["/bin/true"]).exit_code for _ in range(3)] == [0, 0, 0]
    assert runtime.launcher_pid == launcher
