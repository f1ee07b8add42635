"""Each sentence on a sandbox run, from the evidence that calls for it."""

from __future__ import annotations

import pytest

from udock_lab.model import ExitStatus, SandboxProcess, SystemCall
from udock_lab.model.value import replace
from udock_lab.sandbox.messages import End
from udock_lab.sandbox.verdict import Evidence, notes, verdict

DONE, RAISED, EXIT = "done", "raised", "exit"


def process(pid: int = 100, role: str = "parent", raw: int | None = 0, **more: object) -> SandboxProcess:
    status = None if raw is None else ExitStatus(raw=raw)
    facts = {"parent": 0 if role == "parent" else 100, "ran_on": role == "parent"} | more
    return SandboxProcess(pid=pid, role=role, status=status, **facts)  # type: ignore[arg-type]


def evidence(*processes: SandboxProcess, **more: object) -> Evidence:
    found = processes or (process(),)
    plain = Evidence(
        processes=found, calls=(), status=found[0].status, ended_by="end",
        ends={p.pid: End(how=DONE) for p in found if p.ran_on}, collected=frozenset(p.pid for p in found),
        traced=True, timeout=10.0, limit=64, memory=2 << 30, signals_to_all=0, guard="landlock", written=0, shown=0, together=1 << 30,
        calls_dropped=0, waits={}, missed="",
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def child(number: int = 1, raw: int | None = 0, **more: object) -> SandboxProcess:
    return process(100 + number, f"child {number}", raw, **more)


def test_one_process_that_ended_well() -> None:
    assert verdict(evidence()) == "one process; it exited with code 0."


def test_several_processes_with_their_ends() -> None:
    said = verdict(evidence(process(), child(1, 3 << 8), child(2, 9)))
    assert said == (
        "three processes: parent exited with code 0, child 1 exited with code 3, child 2 was ended by SIGKILL."
    )


def test_many_processes_are_counted() -> None:
    assert verdict(evidence(process(), *map(child, range(1, 51)))) == "51 processes; each came to its own end."


def test_child_whose_end_nobody_saw_ended() -> None:
    assert "child 1 ended." in verdict(evidence(process(), child(1, None), traced=False))


def test_fall_through_is_named_with_both_processes() -> None:
    assert verdict(evidence(process(), child(1, ran_on=True))) == (
        "the child ran on and finished the cell too: two processes went on after fork, to the last line."
    )


def test_fall_through_of_four_names_them() -> None:
    said = verdict(evidence(process(), *(child(n, ran_on=True) for n in (1, 2, 3))))
    assert said.startswith("child 1, child 2 and child 3 ran on and finished the cell too: four proc")


def test_fall_through_while_the_parent_left_is_the_child_s_alone() -> None:
    said = verdict(evidence(process(ran_on=False), child(1, ran_on=True)))
    assert said.startswith("the child ran on and finished the cell without the parent: one process went on")


def test_child_that_raises_is_told_that_a_child_must_leave() -> None:
    people = (process(), child(1, 256, ran_on=True))
    said = verdict(evidence(*people, ends={100: End(how=DONE), 101: End(how=RAISED, words="ValueError: no")}))
    assert said.startswith("child 1 raised ValueError: no and nothing caught it")
    assert "os._exit" in said


def test_child_that_leaves_with_sys_exit_runs_clean_up_twice() -> None:
    people = (process(), child(1, 256, ran_on=True))
    said = verdict(evidence(*people, ends={100: End(how=DONE), 101: End(how=EXIT, words="1")}))
    assert said.startswith("child 1 left with sys.exit")


def test_time_limit_says_who_had_not_ended_and_where_they_sat() -> None:
    people = (process(leftover=True), child(1, leftover=True))
    said = verdict(evidence(*people, ended_by="timeout", waits={100: "was waiting in read(3)", 101: "was running"}))
    assert said == (
        "stopped after 10 s: parent and child 1 had not ended, and everything was killed; the parent was waiting in "
        "read(3) and the child 1 was running."
    )


def test_time_limit_with_a_crowd_names_four_and_counts_the_rest() -> None:
    people = (process(leftover=True), *(child(n, leftover=True) for n in range(1, 9)))
    assert "parent, child 1, child 2, child 3 and 5 more had not ended" in verdict(
        evidence(*people, ended_by="timeout")
    )


def test_fork_bomb_is_explained() -> None:
    said = verdict(evidence(ended_by="processes"))
    assert said.startswith("more than 64 processes at once: the sandbox was stopped")
    assert "goes on with the same code" in said


def test_interrupt_says_that_everything_ended() -> None:
    assert verdict(evidence(ended_by="interrupt")) == "interrupted: everything in the sandbox was killed."


@pytest.mark.parametrize(
    ("guard", "held"),
    [("landlock", "the sandbox held it inside"), ("none", "nothing on this machine could hold it")],
)
def test_signal_to_everybody_is_explained_and_who_held_it(guard: str, held: str) -> None:
    said = verdict(evidence(signals_to_all=1, guard=guard))
    assert said == (f"the code called kill(-1, ...): every process you may signal, this notebook's kernel too; {held}.")


def test_no_memory_names_the_limit() -> None:
    said = verdict(evidence(ends={100: End(how=RAISED, words="MemoryError: ")}))
    assert said == "out of memory: a process may have 2048 MiB of address space here (RLIMIT_AS)."


def test_no_keyboard_says_what_to_do_instead() -> None:
    said = verdict(evidence(ends={100: End(how=RAISED, words="EOFError: EOF when reading a line")}))
    assert said.startswith("nothing came from input() (EOFError)")
    assert "Set the value" in said


def test_refused_fork_names_the_limit() -> None:
    refused = SystemCall(pid=100, name="clone", arguments="", result="-1 EAGAIN", errno="EAGAIN", start=0, end=0)
    eagain = End(how=RAISED, words="BlockingIOError: [Errno 11] Resource temporarily unavailable")
    by_error = evidence(process(), *map(child, range(1, 63)), ends={130: eagain})
    for one in (by_error, evidence(calls=(refused,))):
        assert verdict(one).startswith("fork was refused with EAGAIN: more than 64 processes at once are not allowed")


def test_empty_pipe_that_must_not_block_is_no_refused_fork() -> None:
    words = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
    assert verdict(evidence(ends={100: End(how=RAISED, words=words)})) == f"the code ended with an error: {words}"


def test_error_of_the_code_is_quoted() -> None:
    said = verdict(evidence(ends={100: End(how=RAISED, words="NameError: name 'x' is not defined")}))
    assert said == "the code ended with an error: NameError: name 'x' is not defined"


def test_daemon_that_outlives_the_parent_is_named() -> None:
    said = verdict(evidence(process(), child(1, 9, leftover=True)))
    assert said == (
        "child 1 was still running half a second after the first process had ended, and was killed: nobody waited."
    )


def test_parent_that_a_signal_ended() -> None:
    assert verdict(evidence(process(raw=11, ran_on=False))) == "the parent was ended by SIGSEGV."


def test_exec_without_fork_leaves_nothing_of_the_code() -> None:
    said = verdict(evidence(process(program="/bin/echo", ran_on=False)))
    assert said == (
        "the first process itself became /bin/echo, and that program exited with code 0: nothing of your code was "
        "left to run after the exec."
    )


def test_parent_that_leaves_early_loses_its_buffers() -> None:
    said = verdict(evidence(process(raw=7 << 8, ran_on=False)))
    assert said.startswith("the first process left with os._exit(7): no clean-up ran")


def test_without_strace_it_is_said_what_may_have_happened() -> None:
    said = verdict(evidence(process(raw=7 << 8, ran_on=False), traced=False))
    assert said.startswith("the first process ended with code 7 and said nothing at the end of the code")


def test_zombie_is_explained_with_its_name() -> None:
    said = verdict(evidence(process(), child(), collected=frozenset()))
    assert said.startswith("child 1 ended and nobody called waitpid: it stays a zombie (ended, but still listed)")


def test_zombies_are_not_claimed_where_nobody_watched() -> None:
    assert "zombie" not in verdict(evidence(process(), child(), collected=frozenset(), traced=False))


def test_what_was_left_out_is_noted() -> None:
    assert notes(evidence(written=2_000_000, shown=1000, calls_dropped=3)) == (
        "2,000,000 bytes were written; the first 1,000 are shown.",
        "3 more system calls were seen and are not shown.",
    )
    assert notes(evidence()) == ()


def test_every_sentence_ends_like_one_and_uses_no_exclamation() -> None:
    for one in (evidence(), evidence(ended_by="processes"), evidence(ended_by="interrupt"), evidence(signals_to_all=1)):
        assert verdict(one).endswith(".")
        assert "!" not in verdict(one)
