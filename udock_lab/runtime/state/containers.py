"""Two-phase records and state transitions: what happens to ``containers.db``.

One line a container::

    container_id|pid|image_name|status|start_time|end_time|exit_code

Phase 1 appends it as ``running``, after fork and before the program's first instruction; phase 2 fills in
the end. A line that does not parse is kept byte for byte. The C original writes ``-1`` and spaces where we
leave fields empty: both are read.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from udock_lab.errors import Conflict, MdockError, NotFound, UsageError
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import boot_id, is_same_process, pid_namespace, proc_is_ours, start_ticks, state
from udock_lab.model import Record, Status
from udock_lab.runtime.state.extras import Kept, load_extra, load_spec, save_extra
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.ids import follow, raise_mark
from udock_lab.runtime.state.tables import append_line, open_plain, read_lines, replace_last_match, replace_lines

__all__ = [
    "began",
    "begin",
    "check_id",
    "discard",
    "discard_strays",
    "elsewhere",
    "ended",
    "find",
    "finish",
    "format_record",
    "has_ended",
    "hold",
    "is_alive",
    "keep_replaced",
    "making_private_folder",
    "now",
    "parse_record",
    "read_all",
    "remove",
    "set_intent",
    "take_back",
    "with_extras",
]

_ID = re.compile(rb"c[1-9][0-9]{0,17}\Z")
# A line as we spell it.
_PLAIN = re.compile(
    r"(c[1-9][0-9]{0,17})\|([0-9]{1,9})\|([A-Za-z0-9_-]*)\|(running|exited|stopped|killed)"
    r"\|([0-9][0-9T:.+-]*)\|([0-9][0-9T:.+-]*)?\|([0-9]{0,9})"
)
_HIGHEST_PID = 1 << 31  # pid_t has 32 bits; no kernel gives this many
_LOCK = "lock"  # beside the files of a private copy
_EXEC = re.compile(r"exec-[0-9]+\.json")
_STRAY = re.compile(r"(copy|kept)-([0-9]+)-")
_DAY = 86400  # seconds
_STATUSES = {status.value: status for status in Status}


def now() -> str:
    """Return local time, ISO 8601, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def check_id(text: str) -> str:
    """Return ``text`` if it is spelled like a container id; UsageError says how ids look."""
    if not _ID.match(text.encode("utf-8", "replace")):
        meant = re.fullmatch(r"[cC]?0*([1-9][0-9]{0,17})", text, re.ASCII)
        guess = f"Did you mean 'c{meant[1]}'?  " if meant else ""
        raise UsageError(
            f"{text!r} is not a container id.", f"{guess}Ids look like c1, c2, c3; list them with: mdock ps"
        )
    return text


def parse_record(line: bytes) -> Record | None:
    """Return the record on one line of containers.db, or None when it is not a record."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return _parse_unusual(text)
    name, pid, image, status, start_time, end_time, code = plain.groups()
    return Record(
        id=name,
        pid=int(pid),
        image=image,
        status=_STATUSES[status],
        start_time=start_time,
        end_time=end_time or None,
        exit_code=int(code) if code else None,
    )


def _parse_unusual(text: str) -> Record | None:
    """Return the record on a line that is not spelled as we spell it, or None when it is not a record."""
    fields = [field.strip() for field in text.split("|")]
    if len(fields) != 7 or not _ID.match(fields[0].encode()) or fields[3] not in _STATUSES:
        return None
    if not _is_number(fields[1]) or int(fields[1]) >= _HIGHEST_PID:
        return None
    code = fields[6]
    if code and not _is_number(code.removeprefix("-")):
        return None
    end_time = fields[5] if fields[5] not in ("", "-1", "-") else None
    return Record(
        id=fields[0],
        pid=int(fields[1]),
        image=fields[2],
        status=_STATUSES[fields[3]],
        start_time=fields[4],
        end_time=end_time,
        exit_code=int(code) if code not in ("", "-1") else None,
    )


def _is_number(text: str) -> bool:
    """Return whether these are digits that an ``int`` of any language can hold.

    Python itself refuses more than 4,300 of them.
    """
    return len(text) <= 18 and text.isascii() and text.isdigit()


def format_record(record: Record) -> bytes:
    """Return the line (with its newline) that says this record."""
    code = "" if record.exit_code is None else str(record.exit_code)
    return (
        f"{record.id}|{record.pid}|{record.image}|{record.status.value}|"
        f"{record.start_time}|{record.end_time or ''}|{code}\n"
    ).encode()


def read_all(home: Home) -> tuple[list[Record], list[bytes]]:
    """Return every record in the order of the file, and the lines that are none."""
    records, corrupt = [], []
    for line in read_lines(home.containers_db):
        record = parse_record(line)
        if record is not None:
            records.append(record)
        elif line.strip():
            corrupt.append(line)
    return records, corrupt


def find(home: Home, container_id: str) -> Record:
    """Return the record with this id (the last one, should the file hold two).

    Raises NotFound with what to type next.
    """
    check_id(container_id)
    found = None
    key = container_id.encode()
    for line in read_lines(home.containers_db):
        if key in line:
            record = parse_record(line)
            if record is not None and record.id == container_id:
                found = record
    if found is None:
        raise NotFound(f"Container '{container_id}' not found", "List containers with: mdock ps")
    return found


def begin(home: Home, record: Record) -> None:
    """Write phase 1: the record exists before the program's first instruction. Lock held."""
    follow(home, append_line(home.containers_db, format_record(record)), _number(record.id))


def _number(container_id: str) -> int:
    """Return the number of an id that is spelled like one."""
    return int(container_id[1:])


def finish(
    home: Home, container_id: str, exit_code: int | None, end_time: str, *, killed: bool | None = None
) -> tuple[Record | None, int]:
    """Write phase 2, the end; return the record and the old table's fd (-1: nothing to close). Lock held.

    ``stop`` and ``kill`` wrote meanwhile what they were about to do. ``killed``, whether SIGKILL ended it, says what
    came of that: None (nobody knows) takes their word. No record: somebody removed it.
    """

    def fill_in(line: bytes) -> bytes:
        record = parse_record(line)
        if record is None or record.end_time is not None:
            return line
        status = "" if killed is None else _outcome(record.status, killed).value
        return format_record(ended(record, exit_code, end_time, status)).rstrip(b"\n")

    return _rewrite(home, container_id, fill_in)


def _outcome(intent: Status, killed: bool) -> Status:
    """Return the status that came of an intent.

    A ``kill`` that came too late ended nothing; a ``stop`` may have had to kill.
    """
    if intent in (Status.STOPPED, Status.KILLED) and killed:
        return Status.KILLED
    return Status.STOPPED if intent is Status.STOPPED else Status.EXITED


def _rewrite(home: Home, container_id: str, change: Callable[[bytes], bytes]) -> tuple[Record | None, int]:
    """Change the line of one record; the new record and the old table's fd (-1: nothing to close)."""
    changed = replace_last_match(home.containers_db, f"{container_id}|".encode(), change)
    record = None
    if changed:
        _, line, old, rewritten = changed
        follow(home, rewritten)
        record = parse_record(line)
        if record:
            return record, old
        os.close(old)  # a line that only begins like a record

    def change_its_own(line: bytes) -> bytes:
        nonlocal record
        found = parse_record(line)
        if found is None or found.id != container_id:
            return line
        line = change(line)
        record = parse_record(line)
        return line

    written = replace_lines(home.containers_db, change_its_own)  # another program may have put blanks around the id
    follow(home, written)
    return record, -1


def ended(record: Record, exit_code: int | None, end_time: str, status: str = "") -> Record:
    """Return the record with its end filled in.

    A status that ``stop`` or ``kill`` wrote stays, unless ``status`` is given: it knows better.
    """
    kept = Status.EXITED if record.status is Status.RUNNING else record.status
    return Record(
        id=record.id,
        pid=record.pid,
        image=record.image,
        status=_STATUSES.get(status, kept),
        start_time=record.start_time,
        end_time=end_time,
        exit_code=exit_code,
    )


def set_intent(home: Home, container_id: str, status: Status) -> Status:
    """Record that somebody is about to stop or kill it. Lock held; Conflict if it has ended meanwhile.

    Returns the status before, to put back where nothing came of it. A ``kill`` leaves a ``stop``'s word as it is.
    """
    before = Status.RUNNING

    def mark(line: bytes) -> bytes:
        nonlocal before
        record = parse_record(line)
        if record is None:
            return line
        if record.end_time is not None:
            raise Conflict(f"Container '{container_id}' is not running.")
        before = record.status
        if (before, status) == (Status.STOPPED, Status.KILLED):
            return line
        text = line.decode()
        fields = text.split("|")
        fields[3] = status.value
        return "|".join(fields).encode()

    record, old = _rewrite(home, container_id, mark)
    if record is None:
        raise NotFound(f"Container '{container_id}' not found", "List containers with: mdock ps")
    if old >= 0:
        os.close(old)
    return before


def take_back(home: Home, container_id: str, intent: Status, before: Status) -> None:
    """Put the status back to what it was: the signal was refused. Lock held.

    Not if the container has ended, is gone, or its record has another intent by now.
    """

    def mark(line: bytes) -> bytes:
        record = parse_record(line)
        if record is None or record.end_time is not None or record.status is not intent:
            return line
        fields = line.split(b"|")
        fields[3] = before.value.encode()
        return b"|".join(fields)

    _, old = _rewrite(home, container_id, mark)
    if old >= 0:
        os.close(old)


def remove(home: Home, ids: set[str]) -> None:
    """Drop these records; everything else stays byte for byte. Their ids are not given out again. Lock held."""

    def drop(line: bytes) -> bytes | None:
        record = parse_record(line)
        return None if record is not None and record.id in ids else line

    if ids:
        with suppress(OSError):  # another program gave the id out, and the disk is full: removing makes room
            raise_mark(home, max(map(_number, ids)))
        follow(home, replace_lines(home.containers_db, drop))


def discard(home: Home, ids: Sequence[str]) -> dict[str, MdockError]:
    """Remove these containers altogether: their files, then their records. Lock held.

    What resists keeps its record, and so can be removed once the reason is; returns the reasons by id. Files go
    first also because a full disk needs their room for the new table.
    """
    private = {container_id: load_spec(home, container_id).asked.private for container_id in ids}
    refused: dict[str, MdockError] = {}
    for container_id in ids:
        try:
            _remove_files(home, container_id, private[container_id])
        except OSError as error:
            refused[container_id] = storage_error(error, home.path)
        except MdockError as error:
            refused[container_id] = error
    remove(home, set(ids) - set(refused))
    if any(folder is not None and _is_inside_run(home, folder, "kept-") for folder in private.values()):
        discard_strays(home)
    return refused


def _remove_files(home: Home, container_id: str, private: str | None) -> None:
    """Remove the files, the spec last: as long as it is there, all the rest can still be found."""
    if private is not None and _is_inside_run(home, private, "copy-"):
        from udock_lab.runtime.image.tree import remove_tree

        remove_tree(private)
    folder = home.container_dir(container_id)
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if _EXEC.fullmatch(name):  # one that could not be ended has been told of
                os.unlink(f"{folder}/{name}")
    for path in (home.container_log(container_id), f"{folder}/steps.json", f"{folder}/spec.json"):
        with suppress(FileNotFoundError):
            os.unlink(path)
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):  # with files that are not mdock's
            raise


@contextmanager
def making_private_folder(home: Home) -> Iterator[str]:
    """Make a new folder for the files of ``run --copy``, ours until a record names it.

    A lock inside tells that its maker lives (flock(2)); where there are no locks, the pid in its name does.
    """
    folder = f"{home.run_dir}/copy-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        os.mkdir(folder)
        adopt(folder)
        fd = os.open(f"{folder}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        with suppress(OSError):
            os.rmdir(folder)
        raise storage_error(error, home.path) from error
    try:
        try:
            _lock(fd)
        except OSError:
            os.unlink(f"{folder}/{_LOCK}")
        yield folder
    finally:
        os.close(fd)


def keep_replaced(home: Home, ids: Sequence[str], folder: str) -> None:
    """Keep ``folder``, an image that was replaced, for the containers that run in it. Lock held.

    When the last of them is removed, or pruned, it goes too.
    """
    if not ids:
        return
    kept = f"{home.run_dir}/kept-{os.getpid()}-{os.urandom(6).hex()}"
    os.rename(folder, kept)
    for container_id in ids:
        spec = load_extra(home, container_id, "spec")
        save_extra(home, container_id, "spec", spec | {"rootfs": f"{kept}/rootfs", "private": kept})


def discard_strays(home: Home) -> None:
    """Remove replaced images and private copies that no record mentions. Lock held.

    A copy whose maker lives may be on its way to its record.
    """

    def is_being_made(name: str, kind: str, pid: str) -> bool:
        lock = f"{home.run_dir}/{name}/{_LOCK}"
        return kind == "copy" and (_is_held(lock) if os.path.exists(lock) else state(int(pid)) is not None)

    found = [(name, _STRAY.match(name)) for name in os.listdir(home.run_dir)]
    strays = [f"{home.run_dir}/{name}" for name, match in found if match and not is_being_made(name, *match.groups())]
    if not strays:
        return
    from udock_lab.runtime.image.tree import remove_tree

    kept = {load_spec(home, record.id).asked.private for record in read_all(home)[0]}
    for folder in strays:
        if folder not in kept:
            with suppress(MdockError):  # nobody's any more: whoever prunes next tries again
                remove_tree(folder)


def _is_inside_run(home: Home, folder: str, kind: str) -> bool:
    """Return whether a path is one that mdock made: only such is ever removed, whatever a spec says."""
    above, name = os.path.split(os.path.normpath(folder))
    return above == home.run_dir and name.startswith(kind)


def with_extras(home: Home) -> set[str] | None:
    """Return the ids of which we have files of our own; None if that cannot be listed.

    What another program recorded has none, and 10,000 files that are missing take longer to open than one to list.
    """
    try:
        return set(os.listdir(home.containers_dir))
    except FileNotFoundError:
        return set()
    except OSError:
        return None


def has_ended(record: Record) -> bool:
    """Return whether the record itself says so.

    ``exited`` without an end time is the C original's (we write both at once).
    """
    return record.end_time is not None or record.status is Status.EXITED


def hold(home: Home, container_id: str) -> int:
    """Lock the container's spec while its supervisor lives.

    Others know by it that the container lives, where they can't see the supervisor.
    """
    try:
        fd = open_plain(f"{home.container_dir(container_id)}/spec.json", os.O_RDWR)
    except OSError:
        return -1
    try:
        _lock(fd)
    except OSError as error:
        os.close(fd)
        if error.errno == errno.EWOULDBLOCK:
            raise
        return -1
    return fd


def _lock(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: str) -> bool:
    """Return whether another process has locked this file.

    Several may ask at once, since they ask for a shared lock.
    """
    try:
        fd = open_plain(path)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno == errno.EWOULDBLOCK
    finally:
        os.close(fd)
    return False


def elsewhere(home: Home, record: Record) -> str:
    """Return why the process of a record cannot be seen from here although its supervisor lives, or nothing.

    The supervisor holds a lock, which others see where its pid tells them nothing: in another pid namespace, on
    another host that shares the home, behind hidepid, without /proc. Without that lock nobody looks after it.
    """
    if has_ended(record) or not _is_held(f"{home.container_dir(record.id)}/spec.json"):
        return ""
    kept = load_spec(home, record.id)
    identity = kept.identity
    if not kept.unknown and not identity.supervisor:  # then it is another one's lock
        return ""
    boot, namespace, here = identity.boot_id, identity.pid_namespace, pid_namespace()
    if boot is not None and "unknown" not in (boot, boot_id()) and boot != boot_id():
        return f"host {identity.host or 'unknown'}"
    if namespace and here and namespace != here:
        return "another pid namespace"
    if not proc_is_ours():
        return "no /proc of this pid namespace"
    if not namespace:
        return "an unknown place"
    return "/proc hides it" if _answers(record.pid) and state(record.pid) is None else ""


def _answers(pid: int) -> bool:
    """Return whether there is such a process, whether /proc shows it or not."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def is_alive(home: Home, record: Record, kept: Kept | None = None) -> bool:
    """Return whether the very process of this record is still there.

    Proven by pid and start time, never by pid alone.
    """
    identity = (load_spec(home, record.id) if kept is None else kept).identity
    ticks, boot = identity.start_ticks, identity.boot_id
    if identity.pid_namespace and identity.pid_namespace != pid_namespace():
        return False
    if identity.pid == record.pid and ticks is not None and boot is not None:
        return is_same_process(record.pid, ticks, boot)
    return record.pid > 1 and state(record.pid) is not None and not _began_later(record)


def _began_later(record: Record) -> bool:
    """Return whether a process began days after its record was written: it cannot be the one the record means.

    A record does not say in which time zone it was written, so less than a day proves nothing.
    """
    from calendar import timegm

    try:
        written = timegm(time.strptime(record.start_time, "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return False
    return began(record.pid) > written + _DAY


def began(pid: int) -> float:
    """Return when a process was forked, in seconds since the epoch, as the clock goes now; 0 if there is none."""
    ticks = start_ticks(pid)
    if ticks is None:
        return 0.0
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
