"""Words of docker (and of podman and runc) that mdock does not have: each with what to type instead, or why not.

Read when such a word is met, and not before. A word that becomes a command or an option of mdock leaves its table (an
option that asks for a layer of isolation does so by itself): a test holds the two apart, and tries what the sentences
tell people to type.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from udock_lab.isolation.sequence import OPTIONS as LAYERS

__all__ = ["GROUPS", "OPTIONS", "WORDS", "Group", "about_command", "about_option"]

_NO_REGISTRY = "mdock asks no registry. Make an image of a folder: mdock rootfs DIR   then: mdock build NAME DIR"
_NO_LAYERS = "an image here is one folder, without layers or tags; mdock inspect NAME shows where it is."
_NO_SWARM = "mdock runs containers on this machine only, and has nothing to spread over several."
_NO_VOLUMES = "volumes need mounts, which come with namespaces; mdock run --copy gives a private copy of the image."
_NO_NETWORK = "containers share the host's network, so every port is open already and there is nothing to set up."
_NO_COMPOSE = "mdock starts one container at a time; write a shell script of lines such as: mdock run -d IMAGE PROGRAM"
_NO_DOCKERFILE = "an image is made of a folder, not of a Dockerfile: mdock build NAME DIR"
_NO_DAEMON = "mdock has no daemon that could be asked; what it does is written to log.txt in its home."
_ONE_LIFE = "a container runs once, from start to end. Run its program again: mdock run IMAGE PROGRAM"
_ROOTFS_IS_A_FOLDER = "its files are a folder on this machine: mdock inspect ID shows it as rootfs"
_PACK = "an image is a folder; mdock inspect NAME shows it as rootfs. Pack it: tar -C ROOTFS -cf FILE ."
_UNPACK = "unpack it into a folder (tar -C DIR -xf FILE), then: mdock build NAME DIR"
_SHELL = "a shell in a running container: mdock exec -it ID /bin/sh"
_LIMITS_ONCE = "limits are set at the start: mdock run --mem 64M --cpu 2 --files 64 IMAGE"
_SEES_IT_ALL = "everything of a container, as JSON: mdock inspect ID"

WORDS: Mapping[str, str] = {
    "attach": "see what it writes: mdock logs -f ID   or run a shell in it: mdock exec -it ID /bin/sh",
    "auto-update": _NO_REGISTRY,
    "bash": _SHELL,
    "builder": _NO_DOCKERFILE,
    "buildx": _NO_DOCKERFILE,
    "checkpoint": "a container cannot be saved and resumed; to halt it for a while: mdock kill -s STOP ID",
    "clean": "containers that have ended are removed with: mdock prune",
    "commit": "a container writes into its image's own folder (rootfs in mdock inspect ID). Make an image of it: "
    "mdock build NAME ROOTFS",
    "compose": _NO_COMPOSE,
    "context": _NO_DAEMON,
    "cp": f"{_ROOTFS_IS_A_FOLDER}; copy with cp.",
    "create": "a container is made and started in one step: mdock run IMAGE PROGRAM   in the background: mdock run -d",
    "debug": _SHELL,
    "delete": "a container that has ended is removed with mdock rm ID, an image with mdock rmi NAME.",
    "df": "see how much room the home takes: du -sh ~/.mdock",
    "diff": f"what a container changes is not recorded; {_ROOTFS_IS_A_FOLDER}; compare with diff -r.",
    "down": _NO_COMPOSE,
    "enter": _SHELL,
    "events": "they are in a text file, log.txt in mdock's home; follow it: tail -f ~/.mdock/log.txt",
    "exists": "ask for it and look at the exit code: mdock inspect ID",
    "export": f"{_ROOTFS_IS_A_FOLDER}. Pack it: tar -C ROOTFS -cf FILE .",
    "features": "what this machine permits, each feature tried: mdock doctor",
    "healthcheck": "no program checks a container's health; ask it yourself: mdock exec ID PROGRAM",
    "history": _NO_LAYERS,
    "import": _UNPACK,
    "info": "what this machine permits: mdock doctor   which mdock this is: mdock version",
    "init": "there is nothing to set up. A first image: mdock demo",
    "kube": _NO_COMPOSE,
    "list": "containers are listed with mdock ps, images with mdock images.",
    "load": _UNPACK,
    "log": "what a container wrote: mdock logs ID",
    "login": _NO_REGISTRY,
    "logout": _NO_REGISTRY,
    "ls": "containers are listed with mdock ps, images with mdock images.",
    "machine": _NO_DAEMON,
    "manifest": _NO_LAYERS,
    "mount": f"{_ROOTFS_IS_A_FOLDER}, and needs no mounting.",
    "network": _NO_NETWORK,
    "node": _NO_SWARM,
    "pause": "halt it: mdock kill -s STOP ID   and let it go on: mdock kill -s CONT ID",
    "play": _NO_COMPOSE,
    "plugin": "mdock has no plugins.",
    "pod": _NO_COMPOSE,
    "port": _NO_NETWORK,
    "pull": _NO_REGISTRY,
    "push": _NO_REGISTRY,
    "remove": "a container that has ended is removed with mdock rm ID, an image with mdock rmi NAME.",
    "rename": "containers are called c1, c2, ... for good; mdock ps shows which is which.",
    "restart": "it is ended and its program run again: mdock stop ID   then: mdock run -d IMAGE PROGRAM",
    "restore": "a container cannot be saved and resumed; one that was halted goes on with: mdock kill -s CONT ID",
    "resume": "let it go on: mdock kill -s CONT ID",
    "save": _PACK,
    "scout": _NO_REGISTRY,
    "search": _NO_REGISTRY,
    "secret": "programs get what they need to know from you: mdock run -e KEY=VALUE IMAGE   or on standard input.",
    "service": _NO_SWARM,
    "sh": _SHELL,
    "shell": _SHELL,
    "spec": "a container needs no file that describes it: mdock run IMAGE PROGRAM",
    "ssh": _SHELL,
    "stack": _NO_SWARM,
    "start": _ONE_LIFE,
    "state": _SEES_IT_ALL,
    "stats": "mdock ps shows its PID and mdock run its limits; what it uses: top -p PID",
    "status": "how containers fare: mdock ps   everything of one: mdock inspect ID",
    "swarm": _NO_SWARM,
    "system": "this machine: mdock doctor   containers that have ended: mdock prune   room taken: du -sh ~/.mdock",
    "tag": "an image has one name. Give its folder (rootfs in mdock inspect NAME) another: mdock build OTHER ROOTFS",
    "top": "mdock ps shows its PID; its processes: ps -o pid,stat,args --sid PID",
    "trust": _NO_REGISTRY,
    "umount": f"{_ROOTFS_IS_A_FOLDER}, and nothing is mounted.",
    "unmount": f"{_ROOTFS_IS_A_FOLDER}, and nothing is mounted.",
    "unpause": "let it go on: mdock kill -s CONT ID",
    "unshare": "a user namespace for a container: mdock run --userns IMAGE",
    "untag": _NO_LAYERS,
    "up": _NO_COMPOSE,
    "update": _LIMITS_ONCE,
    "volume": _NO_VOLUMES,
}


class Group(NamedTuple):
    """docker's words that only sort others: ``container ls`` is ``ps`` here. ``own``: what is called otherwise here."""

    about: str
    own: Mapping[str, str]


GROUPS: Mapping[str, Group] = {
    "container": Group("containers", {"ls": "ps", "list": "ps", "remove": "rm"}),
    "image": Group("images", {"ls": "images", "list": "images", "rm": "rmi", "remove": "rmi"}),
}
# docker's words of one group that mean something else without it.
_ONLY_THERE: Mapping[str, str] = {
    "image prune": "no image here is without a name. Images are removed one by one: mdock rmi NAME",
    "system prune": "containers that have ended are removed with mdock prune, an image with mdock rmi NAME.",
    "system df": WORDS["df"],
    "system events": WORDS["events"],
    "system info": WORDS["info"],
}


def about_command(words: Sequence[str], commands: Collection[str]) -> str | None:
    """Return a sentence about the command line ``words``, if docker has such a command and ``commands`` has not."""
    word, rest = words[0], list(words[1:])
    for told in (_ONLY_THERE.get(" ".join(words[:2])), WORDS.get(word)):
        if told is not None:
            return told
    group = GROUPS.get(word)
    if group is None:
        return None
    wanted = rest[0] if rest else "ls"
    meant = group.own.get(wanted, wanted)
    if meant in commands:
        return f"commands about {group.about} have no group here. Type: {' '.join(['mdock', meant, *rest[1:]])}"
    return WORDS.get(wanted, f"commands about {group.about} have no group here; see them: mdock --help")


_AS_YOU = "programs run as you; mdock run --userns makes them root inside a user namespace."
_MEMORY = "its name here is --mem, and it is per process (RLIMIT_AS): mdock run --mem 64M IMAGE"
_CPU = "a share of processors comes with cgroups; --cpu SECONDS limits processor time per process."
_CGROUPS = "it needs cgroups, which mdock does not use; --mem, --cpu and --files are per process."
_RIGHTS = "programs have your own privileges, no more and no less; mdock run --userns gives fewer."
_NAMESPACES = "it comes with namespaces; the one that mdock makes is for users: mdock run --userns IMAGE"
_NO_LABELS = "containers and images carry no labels; they are called by id and by name."
_MOUNTS = "it needs mounts, which come with namespaces; mdock run --copy gives a private copy of the image."
_LOG_IS_PLAIN = "a log is the program's bytes and nothing else, so it knows no times; log.txt in mdock's home does."
_ONE_LOG = "each container's output goes to one file, logs/ID.log in mdock's home, and to the caller that is attached."
_IN_FRONT = "a run in the foreground is attached to all three streams, and -i keeps standard input open."
_HEALTH = "no program checks a container's health; ask it yourself: mdock exec ID PROGRAM"
_NOBODY_RESTARTS = (
    "mdock has no daemon that would start it again; a shell can: until mdock run IMAGE PROGRAM; do :; done"
)
_OWN_STOP = "stop sends SIGTERM, then SIGKILL after 5 s: mdock stop -t SEC ID   another signal: mdock kill -s SIG ID"
_ONE_MACHINE = "an image is a folder of programs for one machine, this one."
_IMAGE_IS_FILES = "an image here is files only; name the program after the image: mdock run IMAGE PROGRAM"
_ALL_IN = "a folder is copied whole; leave things out before: mdock build NAME DIR"

_SIZES = "sizes are not counted; mdock inspect ID shows the rootfs, and du -sh ROOTFS counts it."
_NOT_SHARED = "containers share the host's network; another one comes with namespaces."
_NAMES = "names are looked up as the image's own /etc/resolv.conf and /etc/hosts say; write them, then: mdock build"
_PROCESSES = "a limit on processes comes with cgroups; --mem, --cpu and --files are per process."
_FIRST_PROCESS = "the first process adopts orphans already; a pid 1 of its own comes with namespaces."


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    """Make a table of rows of words that get the same sentence, with blanks between."""
    return {word: told for words, told in rows for word in words.split()}


_BOTH = (
    ("--detach-keys", "Ctrl-C ends the program; to leave it running, start it so: mdock run -d IMAGE PROGRAM"),
    ("--privileged", _RIGHTS),
    ("-u --user", _AS_YOU),
)
_RUN = _table(
    *_BOTH,
    ("-a --attach", _IN_FRONT),
    ("-c --cpus --cpu-shares --cpu-period --cpu-quota --cpu-count --cpu-percent", _CPU),
    ("-h --hostname --domainname --uts", "a host name of its own comes with namespaces."),
    ("-l --label --label-file --annotation", _NO_LABELS),
    ("-m --memory", _MEMORY),
    ("-p --publish -P --publish-all --expose", _NO_NETWORK),
    ("-q --quiet", "nothing is pulled, so there is nothing to be quiet about."),
    ("-v --volume", _NO_VOLUMES),
    ("--blkio-weight --blkio-weight-device --cgroup-parent --cgroup-conf --cgroupns --cgroups", _CGROUPS),
    ("--cap-add --cap-drop --security-opt --group-add --sysctl --oom-score-adj", _RIGHTS),
    ("--cidfile", "the shell can keep the id: mdock run -d IMAGE PROGRAM > FILE"),
    ("--cpu-rt-period --cpu-rt-runtime --device-cgroup-rule", _CGROUPS),
    ("--cpuset-cpus --cpuset-mems", "choose processors with: taskset -c 0 mdock run IMAGE PROGRAM"),
    ("--device --gpus", "an image has the devices that are in its own /dev, and no others."),
    ("--device-read-bps --device-read-iops --device-write-bps --device-write-iops", _CGROUPS),
    ("--dns --dns-option --dns-opt --dns-search --add-host", _NAMES),
    ("--entrypoint", _IMAGE_IS_FILES),
    ("--health-cmd --health-interval --health-retries --health-start-interval", _HEALTH),
    ("--health-start-period --health-timeout --no-healthcheck", _HEALTH),
    ("--init", _FIRST_PROCESS),
    ("--ipc --pid", _NAMESPACES),
    ("--log-driver --log-opt", _ONE_LOG),
    ("--memory-reservation --memory-swap --memory-swappiness --kernel-memory --oom-kill-disable", _CGROUPS),
    ("--mount --tmpfs --volumes-from --volume-driver --shm-size --storage-opt", _MOUNTS),
    ("--name", "containers are called c1, c2, ...; mdock ps shows which is which."),
    ("--network --net --network-alias --net-alias --ip --ip6 --mac-address", _NOT_SHARED),
    ("--link --link-local-ip", _NOT_SHARED),
    ("--pids --pids-limit", _PROCESSES),
    ("--platform --arch --os", _ONE_MACHINE),
    ("--pull --disable-content-trust", _NO_REGISTRY),
    ("--read-only", "a root that cannot be written to comes with mounts; mdock run --copy spares the image."),
    ("--replace", "containers have no names that could be taken."),
    ("--restart", _NOBODY_RESTARTS),
    ("--runtime --isolation --use-api-socket", "mdock is the runtime, and there is no other below it."),
    ("--sig-proxy", "in the foreground signals are always passed on; in the background never: mdock run -d IMAGE"),
    ("--stop-signal --stop-timeout --timeout", _OWN_STOP),
    ("--ulimit", "three limits have options of their own: mdock run --mem 64M --cpu 2 --files 64 IMAGE"),
)
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "build": _table(
        ("-f --file --build-arg --build-arg-file --build-context --cache-from --cache-to --from", _NO_DOCKERFILE),
        ("-q --quiet -o --output --label --load --network --no-cache --progress --pull --push", _NO_DOCKERFILE),
        ("--iidfile --rm --secret --squash --ssh --target", _NO_DOCKERFILE),
        ("--ignorefile", _ALL_IN),
        ("--platform --arch --os", _ONE_MACHINE),
    ),
    "exec": _table(
        *_BOTH,
        ("-d --detach", "exec stays with its program. A container in the background: mdock run -d IMAGE PROGRAM"),
        ("-m --memory --mem --cpu --files", f"exec takes over the limits of its container; {_LIMITS_ONCE}"),
        ("--copy", "exec works on its container's own files."),
        ("--rm", "exec leaves nothing that could be removed; its container was given --rm or not."),
        ("--userns --no-userns", "exec goes where its container is: into its user namespace, if it has one."),
    ),
    "images": _table(
        ("-a --all", "all images are shown already."),
        ("--digests --no-trunc --tree", "names and paths are shown whole, and there is nothing else."),
    ),
    "inspect": _table(
        ("-s --size", _SIZES),
        ("--type", "an id such as c7 is always a container, anything else an image."),
    ),
    "kill": _table(("-a --all", "name them, or let a shell do it: mdock kill $(mdock ps -q --running)")),
    "logs": _table(("-t --timestamps --since --until", _LOG_IS_PLAIN), ("--details", _ONE_LOG)),
    "prune": _table(
        ("-a --all", "only containers are pruned; images are removed one by one: mdock rmi NAME"),
        ("--volumes", _NO_VOLUMES),
    ),
    "ps": _table(("-s --size", _SIZES)),
    "rm": _table(("--link", _NOT_SHARED)),
    "rmi": _table(
        ("-f --force", "an image stays while a record names it; records of what has ended go with: mdock prune"),
        ("--no-prune", _NO_LAYERS),
    ),
    "run": {word: told for word, told in _RUN.items() if word.removeprefix("--") not in LAYERS},
    "stop": _table(
        ("-a --all", "name them, or let a shell do it: mdock stop $(mdock ps -q --running)"),
        ("-s --signal", _OWN_STOP),
    ),
    "wait": _table(("--condition", "wait waits for the end, and says the exit code.")),
}


def about_option(command: str, option: str) -> str | None:
    """Return a sentence about an option that docker's command of this name has, and mdock's has not."""
    return OPTIONS.get(command, {}).get(option)
