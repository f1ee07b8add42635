"""One sentence of the man page for each system call that a lesson meets, and the name a program calls it by.

A program that calls ``fork()`` makes the kernel's call ``clone``. The sentences are ours, kept to what the man page
says first.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALLS", "CallNote", "note_of"]


@dataclass(frozen=True, slots=True)
class CallNote:
    """``page`` as in ``fork(2)``; ``library`` is the C library's name where it differs from the kernel's."""

    page: str
    sentence: str
    library: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.page}" if self.page else self.sentence


_FORK = "Makes a second process, a copy of the caller: returns 0 in the copy and the copy's pid in the caller."
_WAIT = "Waits until a child changes state, and takes its wait status; after that the child is no zombie any more."
_EXEC = "Turns the calling process into another program: same pid, new code and memory. Does not return if it succeeds."
_EXIT = "Ends the process at once. The code in its low 8 bits goes to whoever waits for it."
_KILL = "Sends a signal to a process or to a process group."
_OPEN = "Opens a file and gives back the lowest free file descriptor."
_READ = "Reads bytes from an open file or a pipe. Waits where there are none yet; gives 0 bytes at the end."
_CLOSE = "Gives a descriptor back. The open file goes when nobody holds a descriptor for it any more."
_ACCEPT = "Waits until somebody connects to a socket, and gives a descriptor of that connection."
_PIPE = "Makes a pipe: one descriptor to read from, one to write to."
_DUP = "Makes another descriptor for the same open file: both share one file offset."
_RENAME = "Gives a file another name within one file system; a file that had that name is replaced in one step."
_LINK = "Gives a file one more name."
_SYMLINK = "Makes a file that holds the path of another one."
_UNLINK = "Removes a name; the file goes when no name and no open descriptor is left."
_MKDIR = "Makes a directory."
_LIMIT = "Reads and sets what a process may use of a resource."
_IDS = "Sets the user ids of the calling process (real, effective, saved)."

CALLS: dict[str, CallNote] = {
    "fork": CallNote("fork(2)", _FORK),
    "vfork": CallNote("vfork(2)", "Like fork, but the caller waits until the child execs or ends."),
    "clone": CallNote("fork(2)", _FORK, "fork"),
    "clone3": CallNote("clone(2)", "Makes a second process or thread; flags say what the two share.", "fork"),
    "execve": CallNote("execve(2)", _EXEC),
    "execveat": CallNote("execveat(2)", _EXEC),
    "exit": CallNote("_exit(2)", "Ends the calling thread."),
    "exit_group": CallNote("_exit(2)", _EXIT, "_exit"),
    "waitpid": CallNote("waitpid(2)", _WAIT),
    "wait4": CallNote("waitpid(2)", _WAIT, "waitpid"),
    "waitid": CallNote("waitid(2)", "Waits for a child, and can leave it waitable (WNOWAIT)."),
    "chroot": CallNote(
        "chroot(2)", "Changes what / means for the process; takes CAP_SYS_CHROOT. The working directory stays."
    ),
    "chdir": CallNote("chdir(2)", "Changes the working directory, from which relative paths are looked up."),
    "fchdir": CallNote("fchdir(2)", "Changes the working directory to one that is open already."),
    "kill": CallNote("kill(2)", _KILL),
    "tkill": CallNote("tkill(2)", "Sends a signal to one thread."),
    "tgkill": CallNote("tgkill(2)", "Sends a signal to one thread of a process."),
    "pidfd_send_signal": CallNote("pidfd_send_signal(2)", "Sends a signal to the very process behind a descriptor."),
    "setsid": CallNote("setsid(2)", "Starts a session and a process group, with the caller as leader of both."),
    "setpgid": CallNote("setpgid(2)", "Puts a process into a process group."),
    "open": CallNote("open(2)", _OPEN),
    "openat": CallNote("open(2)", _OPEN, "open"),
    "creat": CallNote("open(2)", "Makes an empty file and opens it for writing."),
    "close_range": CallNote("close_range(2)", "Closes all descriptors of a range."),
    "pipe": CallNote("pipe(2)", _PIPE),
    "pipe2": CallNote("pipe(2)", _PIPE, "pipe"),
    "dup": CallNote("dup(2)", _DUP),
    "dup2": CallNote("dup(2)", _DUP),
    "dup3": CallNote("dup(2)", _DUP, "dup2"),
    "flock": CallNote("flock(2)", "Takes or gives back a lock on an open file; it binds only programs that ask too."),
    "ftruncate": CallNote("ftruncate(2)", "Makes an open file exactly so many bytes long."),
    "fsync": CallNote("fsync(2)", "Waits until the file's data are on the disk."),
    "rename": CallNote("rename(2)", _RENAME),
    "renameat": CallNote("rename(2)", _RENAME, "rename"),
    "renameat2": CallNote("rename(2)", _RENAME, "rename"),
    "link": CallNote("link(2)", _LINK),
    "linkat": CallNote("link(2)", _LINK, "link"),
    "symlink": CallNote("symlink(2)", _SYMLINK),
    "symlinkat": CallNote("symlink(2)", _SYMLINK, "symlink"),
    "unlink": CallNote("unlink(2)", _UNLINK),
    "unlinkat": CallNote("unlink(2)", _UNLINK, "unlink"),
    "mkdir": CallNote("mkdir(2)", _MKDIR),
    "mkdirat": CallNote("mkdir(2)", _MKDIR, "mkdir"),
    "setuid": CallNote("setuid(2)", "Sets the effective user id; for root all three user ids, with no way back."),
    "setgid": CallNote("setgid(2)", "Sets the effective group id; for root all three group ids."),
    "setresuid": CallNote("setresuid(2)", _IDS),
    "setresgid": CallNote("setresgid(2)", _IDS.replace("user", "group")),
    "setgroups": CallNote("setgroups(2)", "Sets the supplementary groups of the calling process."),
    "unshare": CallNote("unshare(2)", "Gives the caller namespaces of its own, not shared with its parent any more."),
    "setns": CallNote("setns(2)", "Moves the caller into a namespace that exists already."),
    "mount": CallNote("mount(2)", "Attaches a file system to a directory."),
    "umount2": CallNote("umount(2)", "Detaches the file system at a directory.", "umount"),
    "pivot_root": CallNote("pivot_root(2)", "Swaps the root mount of a mount namespace for another one."),
    "write": CallNote("write(2)", "Writes bytes to an open file; for a file of /proc they are an order to the kernel."),
    "pwrite64": CallNote("pwrite(2)", "Writes at a place of its own choice; the file offset stays.", "pwrite"),
    "writev": CallNote("writev(2)", "Writes several pieces in one go."),
    "read": CallNote("read(2)", _READ),
    "pread64": CallNote("pread(2)", "Reads at a place of its own choice; the file offset stays.", "pread"),
    "readv": CallNote("readv(2)", "Reads into several pieces in one go."),
    "lseek": CallNote("lseek(2)", "Moves the file offset; all who share the open file read and write from there."),
    "close": CallNote("close(2)", _CLOSE),
    "fcntl": CallNote("fcntl(2)", "Does many things to a descriptor: the second argument says which."),
    "openat2": CallNote("openat2(2)", _OPEN),
    "socket": CallNote("socket(2)", "Makes an end of a connection, to which nobody is connected yet."),
    "sendfile": CallNote("sendfile(2)", "Copies bytes from one descriptor to another inside the kernel."),
    "copy_file_range": CallNote("copy_file_range(2)", "Copies bytes from one file to another inside the kernel."),
    "socketpair": CallNote("socketpair(2)", "Makes two sockets that are connected to each other."),
    "accept": CallNote("accept(2)", _ACCEPT),
    "accept4": CallNote("accept(2)", _ACCEPT, "accept"),
    "memfd_create": CallNote("memfd_create(2)", "Makes a file that has no name and lives in memory."),
    "eventfd2": CallNote("eventfd(2)", "Makes a counter that can be waited for.", "eventfd"),
    "epoll_create1": CallNote("epoll_create(2)", "Makes a descriptor that waits for many others.", "epoll_create"),
    "pidfd_open": CallNote("pidfd_open(2)", "Gives a descriptor that stands for a process, and can be waited for."),
    "signalfd4": CallNote("signalfd(2)", "Makes a descriptor from which signals are read.", "signalfd"),
    "timerfd_create": CallNote("timerfd_create(2)", "Makes a clock that can be waited for and read."),
    "inotify_init1": CallNote("inotify_init(2)", "Makes a descriptor that tells of changed files.", "inotify_init"),
    "nice": CallNote("nice(2)", "Lets other processes have the processor first."),
    "sethostname": CallNote("sethostname(2)", "Sets the host name of the UTS namespace."),
    "prlimit64": CallNote("prlimit(2)", _LIMIT, "setrlimit"),
    "setrlimit": CallNote("setrlimit(2)", _LIMIT),
    "prctl": CallNote("prctl(2)", "Changes how the kernel treats the calling process; the first argument says what."),
    "ioctl": CallNote("ioctl(2)", "Talks to the device behind a descriptor; the second argument says about what."),
    "sendmsg": CallNote("sendmsg(2)", "Sends a message, and open file descriptors with it, through a socket."),
    "recvmsg": CallNote("recvmsg(2)", "Waits for a message on a socket, and for the descriptors that come with it."),
    "append to containers.db": CallNote("", "Phase 1: the record says running before the program's first instruction."),
    "rename over containers.db": CallNote(
        "rename(2)", "Phase 2: a new table takes the old one's place in one step, with the end and the exit code."
    ),
}


def note_of(name: str) -> CallNote | None:
    """Return what is known of a call, None for one that no lesson talks about."""
    return CALLS.get(name)
