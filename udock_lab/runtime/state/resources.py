"""What outlives a killed supervisor: written down before it is acquired, released by whoever removes its container.

::

    containers/<id>/resources.json            what a container has
    run/resources-<pid>-<random>.json         a claim: what a caller acquires for a container that has no id yet

So no kill, of whomever and whenever, leaves anything of which nobody knows. A supervisor makes a claim the container's
by one rename, just before it writes the record. A claim is locked while its caller lives (flock(2)): a lock is seen
from every pid namespace and host that shares the home. An entry leaves its file only after what it names is gone, so a
removal that is killed half-way is done again; whatever is released may be gone already.

To add a kind: a class on :class:`Resource`, whose fields are what it takes to find the thing again, with its
``release``. Supervisors, ``rm`` and ``prune`` know it then.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from contextlib import suppress

from udock_lab.errors import MdockError
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import boot_id, is_same_process, start_ticks, state
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import MalformedError, check_schema, read_stored, salvage, stored, tag, tagged
from udock_lab.model.value import Value
from udock_lab.runtime.state.extras import load_spec, own_folder
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.tables import open_plain, put_file, read_whole
from udock_lab.text.shellwords import quote

__all__ = [
    "KINDS",
    "Claim",
    "Folder",
    "KeptImage",
    "Resource",
    "give_back",
    "note",
    "release_all",
    "release_strays",
    "release_unrecorded",
    "resources_of",
    "shown_of",
    "take_over",
]

SCHEMA = 1
KINDS: dict[str, type[Resource]] = {}  # by what ``is`` says in the file
_FILE = "resources.json"
# Compiled when they are first needed, which is at no start.
_CLAIM = r"resources-[0-9]+-[0-9a-f]+\.json"
_IN_RUN = r"(copy|kept)-([0-9]+)-[^/\0]+"
_ID = r"c[1-9][0-9]*"
_LOCK = "lock"  # what earlier versions locked, in a folder that they were making
_PATIENCE = 1.0  # seconds that a caller who gives up waits for the home's lock: the next one to prune can do it
Entry = dict[str, object]  # a resource as it stands in the file: a newer version may say more of it than we know


class Resource(Value):
    """Something that stays when the process which acquired it is killed.

    ``shared``: several containers may have it, and it is released with the last of them.
    """

    shared = False

    def __init_subclass__(cls) -> None:
        """Be known by name, in the file as ``is``."""
        KINDS[tag(cls)] = cls

    def release(self, home: Home) -> None:
        """Make it be gone, also if it is already. Raise MdockError or OSError where it resists. Lock held."""
        raise NotImplementedError


class Folder(Resource):
    """Files of one container alone, ``run/<name>``."""

    name: str

    def release(self, home: Home) -> None:
        """Remove it with all that is in it."""
        _remove_from_run(home, self.name)


class KeptImage(Resource):
    """An image that was replaced while containers ran in it, ``run/<name>``."""

    name: str
    shared = True

    def release(self, home: Home) -> None:
        """Remove it with all that is in it."""
        _remove_from_run(home, self.name)


class Owner(Value):
    """The process that made a claim: a pid alone may be another's by now."""

    pid: int
    start_ticks: int | None = None
    boot_id: str = ""


class Holder(Value):
    """What such a file says beside the resources themselves."""

    owner: Owner | None = None


# --- a container's


def note(home: Home, container_id: str, resource: Resource) -> None:
    """Write down what the container is about to acquire. Lock held; OSError, and then it may not be acquired."""
    entries = _entries_of(home, container_id)
    if tagged(resource) not in entries:
        _rewrite(f"{own_folder(home, container_id)}/{_FILE}", [*entries, tagged(resource)])


def resources_of(home: Home, container_id: str) -> set[Resource]:
    """Return what a container has, as far as this version knows it; MalformedError where a newer one wrote the file."""
    return _known_of(_entries_of(home, container_id))


def shown_of(home: Home, container_id: str) -> list[Entry]:
    """Return what a container has, for a person: as it stands in the file."""
    with suppress(OSError, MalformedError):
        return _entries_of(home, container_id)
    return []


def release_all(home: Home, container_id: str) -> None:
    """Release what a container has. Lock held.

    Raises MdockError or OSError where something resists, when all the rest is released; what resists stays in the file,
    and so does what a newer version wrote that this one does not know.
    """
    path = f"{home.container_dir(container_id)}/{_FILE}"
    try:
        entries = _entries_of(home, container_id)
    except MalformedError as error:
        raise _newer(container_id, f"where it is written down, {error}", path) from error
    left, refused = _release(home, entries, container_id)
    if not left:
        for name in (path, f"{path}.tmp"):
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(name)
    elif len(left) < len(entries):
        with suppress(OSError):  # a full disk: what is gone is released once more, which does nothing
            _rewrite(path, left)
    if refused is not None:
        raise refused
    if left:
        raise _newer(container_id, ", ".join(sorted({str(entry.get("is")) for entry in left})), path)


def _release(home: Home, entries: list[Entry], container_id: str) -> tuple[list[Entry], MdockError | OSError | None]:
    """Release what we know; return what is left and why it is, None where nobody knows what it is."""
    left: list[Entry] = []
    refused: MdockError | OSError | None = None
    for entry in entries:
        resource = _known(entry)
        if resource is None:
            left.append(entry)
            continue
        try:
            if not (resource.shared and _others_have(home, resource, container_id)):
                resource.release(home)
        except (MdockError, OSError) as error:
            left.append(entry)
            refused = refused or error
    return left, refused


def _others_have(home: Home, resource: Resource, container_id: str) -> bool:
    """Return whether another container has it, or may have: who wrote more than we can read may have written that."""
    try:
        return any(resource in resources_of(home, other) for other in _folders(home) if other != container_id)
    except (MalformedError, OSError):
        return True


def _newer(container_id: str, what: str, path: str) -> MdockError:
    return MdockError(
        f"{container_id} has something that this version of mdock cannot release: {what}.",
        f"Remove it with the newer version that started it. Is nothing of it left? Then: rm {quote(path)}",
    )


# --- a caller's


class Claim:
    """What the caller is about to acquire for a container, which takes it over or never comes to be.

    Raises MdockError where it cannot be written down; then it may not be acquired. ``name`` is that of its file.
    """

    def __init__(self, home: Home, *resources: Resource) -> None:
        me = os.getpid()
        self.home = home
        self.name = f"resources-{me}-{os.urandom(6).hex()}.json"
        holder = Holder(owner=Owner(pid=me, start_ticks=start_ticks(me), boot_id=boot_id()))
        with locked(home):  # so that nobody sees it before it is whole and locked
            self._fd = _new_file(self._path, _text(stored(holder, SCHEMA), list(map(tagged, resources))))

    @property
    def _path(self) -> str:
        return f"{self.home.run_dir}/{self.name}"

    def give_up(self) -> None:
        """Release what no container has taken over. What resists stays a claim, of nobody. Twice is fine."""
        if self._fd < 0:
            return
        try:
            if os.path.lexists(self._path):
                with suppress(MdockError, OSError, MalformedError), locked(self.home, _PATIENCE):
                    _release_claim(self.home, self.name, _had_by_containers(self.home))
        finally:
            os.close(self._fd)
            self._fd = -1


def take_over(home: Home, claim: str, container_id: str) -> None:
    """Make a caller's claim the container's, which has no record yet. Lock held.

    Raises MdockError if the caller has given it up, OSError.
    """
    folder = own_folder(home, container_id)
    try:
        _move(f"{home.run_dir}/{claim}", f"{folder}/{_FILE}")
    except OSError as error:
        with suppress(OSError):
            os.rmdir(folder)
        if isinstance(error, FileNotFoundError):
            raise MdockError("What was made for this run is gone: its caller gave up.", "Run it again.") from None
        raise


def give_back(home: Home, claim: str, container_id: str) -> None:
    """Make it the caller's again: there will be no such container. Lock held.

    Where that fails, it is nobody's, and the next prune releases it.
    """
    folder = home.container_dir(container_id)
    with suppress(OSError):
        _move(f"{folder}/{_FILE}", f"{home.run_dir}/{claim}")
        os.rmdir(folder)


def _move(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # somebody keeps containers/ on another disk
            raise
        put_file(target, read_whole(source))
        os.unlink(source)  # should we die before: what a container has is not the caller's any more


def release_strays(home: Home) -> None:
    """Release what nobody has: no container, and no caller that lives. Lock held.

    Also folders that earlier versions left, which made no claims. What resists is tried again next time.
    """
    names = os.listdir(home.run_dir)
    claims = [name for name in names if re.fullmatch(_CLAIM, name)]
    folders = [name for name in names if re.fullmatch(_IN_RUN, name)]
    if claims or folders:
        with suppress(OSError, MalformedError):  # whoever cannot read what others have, knows too little to release
            _sweep(home, claims, folders, _had_by_containers(home))


def _sweep(home: Home, claims: list[str], folders: list[str], had: set[Resource]) -> None:
    for name in claims:
        with suppress(FileNotFoundError):
            if not _owner_lives(f"{home.run_dir}/{name}"):
                _release_claim(home, name, had)
            had |= _known_of(_entries(f"{home.run_dir}/{name}"))
    for name in folders:
        if not {Folder(name=name), KeptImage(name=name)} & had and not _made_by_earlier_version(home, name):
            with suppress(MdockError):
                _remove_from_run(home, name)


def release_unrecorded(home: Home, recorded: set[str]) -> None:
    """Release what containers have of which there is no record any more, as another program removes it. Lock held.

    Not while a supervisor holds the container's spec: then it is the record that was spoilt.
    """
    for name in _folders(home):
        folder = home.container_dir(name)
        if re.fullmatch(_ID, name) and name not in recorded and not _is_supervised(folder):
            with suppress(MdockError, OSError):
                release_all(home, name)
            with suppress(OSError):
                os.rmdir(folder)


def _is_supervised(folder: str) -> bool:
    try:
        return bool(_is_locked(f"{folder}/spec.json"))
    except OSError:
        return False


def _release_claim(home: Home, name: str, had: set[Resource]) -> None:
    """Release what is claimed, but for what a container has; forget the claim when nothing is left of it."""
    path = f"{home.run_dir}/{name}"
    left, _ = _release(home, [entry for entry in _entries(path) if _known(entry) not in had], "")
    if not left:
        os.unlink(path)


def _owner_lives(claim: str) -> bool:
    """Return whether a claim's caller lives. Where there are no locks, its pid and start time tell."""
    locked = _is_locked(claim)
    if locked is not None:
        return locked
    owner = salvage(Holder, _load(claim), SCHEMA).owner
    return bool(owner and owner.start_ticks and is_same_process(owner.pid, owner.start_ticks, owner.boot_id))


def _is_locked(path: str) -> bool | None:
    """Return whether another process has locked this file; None where there are no locks. OSError."""
    fd = open_plain(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno == errno.EWOULDBLOCK else None
    finally:
        os.close(fd)
    return False


def _made_by_earlier_version(home: Home, name: str) -> bool:
    """Return whether an earlier version makes this copy just now: a lock in it says so, or else the pid in its name."""
    kind, pid = re.fullmatch(_IN_RUN, name).groups()  # type: ignore[union-attr]
    if kind != "copy":
        return False
    try:
        return _owner_lives(f"{home.run_dir}/{name}/{_LOCK}")
    except OSError:
        return state(int(pid)) is not None


def _had_by_containers(home: Home) -> set[Resource]:
    """Return what any container has; OSError, MalformedError where a file cannot be read."""
    return {resource for name in _folders(home) for resource in resources_of(home, name)}


# --- the files


def _entries_of(home: Home, container_id: str) -> list[Entry]:
    """Return the entries of a container's file; where there is none, what an earlier version said in the spec."""
    try:
        return _entries(f"{home.container_dir(container_id)}/{_FILE}")
    except (FileNotFoundError, NotADirectoryError):
        return _private(home, load_spec(home, container_id).asked.private)


def _private(home: Home, folder: str | None) -> list[Entry]:
    above, name = os.path.split(os.path.normpath(folder or ""))
    if above != home.run_dir or not re.fullmatch(_IN_RUN, name):
        return []
    return [tagged(KeptImage(name=name) if name.startswith("kept-") else Folder(name=name))]


def _entries(path: str) -> list[Entry]:
    """Return the entries of a file; none where it was spoilt. MalformedError where its schema is a newer one."""
    data = _load(path)
    check_schema(data, SCHEMA)
    entries = data.get("resources")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _load(path: str) -> dict[str, object]:
    try:
        data = from_json(read_whole(path))
    except MalformedError:
        return {}
    return data if isinstance(data, dict) else {}


def _known_of(entries: list[Entry]) -> set[Resource]:
    return {resource for entry in entries if (resource := _known(entry)) is not None}


def _known(entry: Entry) -> Resource | None:
    """Return the resource that an entry means; None where this version does not know it."""
    kind = entry.get("is")
    if not isinstance(kind, str) or kind not in KINDS:
        return None
    try:
        return read_stored(KINDS[kind], entry, SCHEMA)
    except MalformedError:
        return None


def _rewrite(path: str, entries: list[Entry]) -> None:
    """Put other entries into a file, at once; the rest of it stays, and so does the old one if that fails."""
    found: dict[str, object] = {}
    with suppress(FileNotFoundError):
        found = _load(path)
    put_file(path, _text(found or {"schema": SCHEMA}, entries))


def _text(data: dict[str, object], entries: list[Entry]) -> bytes:
    return to_json(data | {"resources": entries})


def _new_file(path: str, text: bytes) -> int:
    """Write a new file; return it open and locked. Where nothing can be locked, it is only open."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        adopt(path, fd)
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.write(fd, text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    except BaseException:
        os.close(fd)
        os.unlink(path)
        raise
    return fd


def _folders(home: Home) -> list[str]:
    try:
        return os.listdir(home.containers_dir)
    except FileNotFoundError:
        return []


def _remove_from_run(home: Home, name: str) -> None:
    """Remove a folder that mdock made: only such is ever removed, whatever a file says."""
    if re.fullmatch(_IN_RUN, name):
        from udock_lab.runtime.state.removal import remove_tree

        remove_tree(f"{home.run_dir}/{name}")
