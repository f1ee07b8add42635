"""Why each answer of the course is right or wrong: by lesson, and there by the name of the question.

They are here and not in the cells that ask, which anybody may unfold. A notebook that was handed out earlier has
its own.
"""

from __future__ import annotations

from typing import Any

__all__ = ["PREDICTIONS", "TICKETS"]

PREDICTIONS: dict[str, dict[str, dict[str, str]]] = {
    "00_start_here": {
        "drawer": {
            "1": "the sandbox is another process. It got a copy of spoons, and changed the copy.",
            "2": "no process reaches into another one's memory. The sandbox changed its own copy.",
            "an error": "the name exists on both sides: the sandbox got a copy, and yours stayed where it was.",
        },
    },
    "m2_0_primer": {
        "number": {
            "0": "0 is taken: it is the program's input.",
            "3": "the kernel takes the lowest number that is free (open(2)).",
            "any": "it is no chance: the kernel always takes the lowest number that is free.",
        },
    },
    "m2_1a_fork": {
        "lines": {
            "none": (
                "fork starts no new program that would have to be loaded first; both processes are ready to go on"
                " at once."
            ),
            "one": (
                "fork does not start the child at the top or somewhere else: the child goes on where its parent "
                "stands, with the same next line."
            ),
            "two": "the call came back twice, once in each process, and the print stands after it.",
            "depends": "the order of the lines depends on who is quicker; how many there are does not.",
        },
        "dots": {
            "6 / 6 / 6": (
                "a buffer is memory, and fork copies memory: what print has collected is written by every process"
                " that has a copy."
            ),
            "6 / 8 / 0": (
                "os.write: two processes write, then four. print: four processes each have two dots in their "
                "buffers. _exit: nobody empties a buffer."
            ),
            "8 / 8 / 0": ("with os.write the first dot is out before the second fork, so only two processes write it."),
            "6 / 8 / 8": "_exit ends a process at once: what its buffer still holds is never written.",
        },
        "results": {
            "one": (
                "the end of an if is no end of a process: the child leaves its branch and goes on with the next "
                "line, as any program does."
            ),
            "two": "the child came out of its branch and ran the rest of the cell as well.",
            "none": "nothing stops the parent: it writes its line in any case.",
        },
    },
    "m2_1b_exec_and_wait": {
        "pids": {
            "the same pid twice": "execve changes the program inside a process, and the pid belongs to the process.",
            "two different pids": (
                "exec makes no process. fork does that; execve changes the program inside the one that is there."
            ),
            "only the first pid": "the new program runs: it is the rest of the old one that never does.",
        },
        "status": {
            "42": "it would leave no room to say that a signal ended the child.",
            "-42": "that is how Python's subprocess writes signals; the kernel knows no such number.",
            "10752": "a wait status: sixteen bits, and the upper eight hold the code. 42 * 256 = 10752 (wait(2)).",
            "0": "that is what a success gives, and 42 is none.",
        },
    },
    "m2_2_chroot_permissions": {
        "refusals": {
            "4": (
                "a refusal need not be EPERM: an error names the check that failed first, and the privilege is "
                "the last check."
            ),
            "1": (
                "the kernel looks the path up before it asks for the privilege, so only the good path gets as far"
                " as EPERM."
            ),
            "0": "a good path is not enough: chroot asks for a privilege as well, and its absence is called EPERM.",
        },
        "cwd": {
            "the image": (
                "chroot changes where paths with a leading / start. It does not move the process: no chdir happened."
            ),
            "the host": (
                "the working directory stayed in the host's /usr/share, and from there .. climbs past the new root."
            ),
            "nothing": "no privilege is asked for when a path is followed upwards: what is readable stays readable.",
        },
        "alone": {
            "it lists /": (
                "ls is not whole: it names a loader and libraries by their paths, and those now start at the new root."
            ),
            "ENOENT": (
                "the file is there; what does not exist is the loader that it names, and execve reports that as ENOENT."
            ),
            "EACCES": "the permission to execute was copied along. What is missing is another file.",
        },
    },
    "m2_3_container_ids": {
        "following": {
            "c11": "that needs numbers. Ids are text, and text is compared letter by letter.",
            "c10": (
                "as text, c9 is the largest: '9' comes after '1', and the rest is not looked at. c9 plus one is "
                "c10, which exists."
            ),
            "c3": (
                "max looks at the highest, never at a gap. A gap is no free id either: c3's log may still be "
                "quoted somewhere."
            ),
        },
        "together": {
            "c11 and c12": (
                "reading and writing are two steps, and the other process fits in between. Nothing makes the "
                "second one read again."
            ),
            "c11 and c11": "both read 10 before either had written, and each is right about what it read.",
            "an error": (
                "both calls succeed in both processes. The kernel does not know that these numbers should differ."
            ),
        },
        "shared": {
            "all different": (
                "a lock belongs to the open file, not to the process. Here all have the same one, and what you "
                "hold you may lock again."
            ),
            "duplicates": (
                "fork copies the descriptor, and every copy means the same open file. It is locked; so each of "
                "them holds the lock."
            ),
            "it hangs": (
                "a process waits for a lock that another open file holds. There is only one here, so nobody waits"
                " for anybody."
            ),
        },
    },
    "m2_4_metadata": {
        "left": {
            "running": (
                "phase 1 wrote that. Phase 2 would have replaced it, and the process that writes phase 2 is dead."
            ),
            "killed": (
                "somebody has to write that word, and who is ended by signal 9 writes nothing more. mdock kill writes "
                "it before it sends the signal."
            ),
            "exited": "phase 2 writes that, and phase 2 never came.",
            "there is none": (
                "phase 1 wrote a line before the program's first instruction, and nobody has taken it away."
            ),
        },
        "short": {
            "nothing, and fails": (
                "that would be all or nothing, and write promises neither. It writes what fits and says how much "
                "that was (write(2))."
            ),
            "writes 25": (
                "it returns 25, and that is no error. The record is torn, unless the program looks at the number."
            ),
            "waits for room": (
                "a pipe makes a writer wait. A full disk does not: nobody knows whether there will ever be room."
            ),
        },
        "whole": {
            "all three": "a table is written in many steps, and kill -9 waits for none of them to be the last.",
            "in place and rename": (
                "equal length saves the table's size, not its content: it begins with new records and ends with "
                "old ones."
            ),
            "rename": "until the rename the old table is untouched, and the rename is one step.",
        },
    },
    "m2_5_image_lookup": {
        "prefix": {
            "demo-old": "its line begins with demo too. A prefix match is not a match: compare the whole field.",
            "Demo": "case matters in Linux names: D and d are two different bytes, and the test compares bytes.",
            "demo": "the loop stops at the first line that passes, and that is an earlier one.",
            "none": "three lines begin with these letters in one case or the other, and two of them pass the test.",
        },
        "torn": {
            "/images/3": (
                "only if the loop gets there. Not every line has three fields, and this one does not survive it."
            ),
            "None": "to say 'no such image' the loop would have to end in good order.",
            "ValueError": (
                "two fields do not fill three names. One bad line took all images away, also those that are in order."
            ),
        },
        "swapped": {
            "first / first": (
                "the path is text. The kernel looks it up again, and it names the second directory by now."
            ),
            "second / second": (
                "the descriptor was opened before the swap and stays with the directory, not with the name."
            ),
            "second / first": "the path follows the name, the descriptor keeps the directory.",
            "first / second": (
                "it is the other way round: the path follows the name, the descriptor keeps the directory."
            ),
        },
    },
    "m2_6_exec_failure": {
        "reader": {
            "hello, then the end": (
                "the child's copy is closed by its end. The parent's is another one, and the kernel counts both."
            ),
            "an error": "a pipe that is empty and open is in perfect order: more may come.",
            "it waits for ever": (
                "end-of-file comes when the last write end is closed, and the last one is the reader's own."
            ),
        },
        "caught": {
            "the parent": (
                "errno belongs to the process that made the call. A child's failure raises nothing in its parent."
            ),
            "the child": (
                "execve failed, so the old program is still there, in the child: the error is raised where the "
                "call was made."
            ),
            "both": "two processes, two memories: the parent made no call that failed.",
            "neither": (
                "a successful exec leaves nothing of this program. After a failed one it is still there, and so "
                "is its except branch."
            ),
        },
        "succeeded": {
            "none": "127 is only a number in a wait status, and any program may exit with it.",
            "one": (
                "the program that exits 127 is one. Who looks for a shared library: the kernel, or a program that"
                " runs already?"
            ),
            "two": (
                "the loader is a running program by the time it misses a library, and the last one chose 127 itself."
            ),
            "six": "then somebody would have run. Four times nothing did: the kernel answered ENOENT.",
        },
    },
    "m2_7_review": {
        "missing": {
            "none": "the image is looked up before anything is forked: no pid, so nothing to record.",
            "one that says running": "phase 1 comes after the fork, and the fork comes after the lookup.",
            "one that says 127": (
                "127 says that execve found no program in an image. Here was no image, and no execve."
            ),
        },
        "limit": {
            "1": (
                "RLIMIT_CPU limits a process, not a container; a child has the limit and its own clock (setrlimit(2))."
            ),
            "3": "each process has its own limit and its own clock, and three times one second is three.",
            "no end": "each loop is ended by SIGXCPU when its own second is used up, so there is an end.",
        },
        "other": {
            "it is killed": (
                "pids are one list for the whole machine, and kill asks who you are, not where (kill(2))."
            ),
            "no such process": "chroot changes where paths begin, and a pid is no path (chroot(2)).",
            "not permitted": "that is the answer for another user's process. Both containers are yours (kill(2)).",
        },
    },
}

TICKETS: dict[str, dict[str, tuple[Any, str]]] = {  # what is accepted, and why
    "m2_1a_fork": {
        "summaries": (
            2,
            "two: the error carries the child up through the whole program, and it reports like its parent",
        ),
        "copy": (
            ["buffer", "print's buffer", "the buffer of print", "Python's buffer", "stdout's buffer"],
            "buffer: the text lay in memory when fork copied it, and both processes emptied their copy at the end",
        ),
    },
    "m2_1b_exec_and_wait": {
        "code": (
            134,
            "34304 = 134 * 256. A shell says 134 when its last command was ended by signal 6, SIGABRT.",
        ),
        "wget": (
            "SIGTERM",
            "143 = 128 + 15, SIGTERM; or wget exited with 143 by itself. $? cannot tell, the wait status can.",
        ),
    },
    "m2_2_chroot_permissions": {
        "backup": (
            "/data/plan.txt",
            "a path without a leading / starts at the working directory, and that is still /data",
        ),
        "capability": (
            "CAP_SYS_CHROOT",
            (
                "CAP_SYS_CHROOT: the escape needs system calls, no programs; servers give root up right after chroot "
                "for this reason"
            ),
        ),
    },
    "m2_3_container_ids": {
        "step": (
            ["lock", "flock", "locking"],
            ("the lock has to come before the reading; what was read outside it is out of date when the lock is there"),
        ),
        "holders": (
            [4, "all", "all four", "all of them", "all 4 workers", "4 workers"],
            "all 4: they inherited one open file, and a lock belongs to the open file",
        ),
    },
    "m2_4_metadata": {
        "rename": (
            "EXDEV",
            "EXDEV: rename changes names within one file system and copies nothing",
        ),
        "loss": (
            ["power cut", "power", "cut of the power", "power failure", "power loss", "power outage", "blackout"],
            "power cut: what the game wrote is in the kernel's memory, which a crash of the game leaves alone",
        ),
    },
    "m2_5_image_lookup": {
        "home": (
            ["anna", "/home/anna"],
            "anna's: the pattern matches the beginning of her line too. grep '^ann:' asks for the whole field.",
        ),
        "call": (
            ["fstat"],
            "fstat: open first, then ask what was opened. What is open cannot be exchanged by renaming.",
        ),
    },
    "m2_6_exec_failure": {
        "loader": (
            ["yes", "it succeeded", "yes, it did"],
            (
                "yes: the sentence was written by the loader, a program that runs. The image lacks libssl, not "
                "the program."
            ),
        ),
        "wait": (
            ["1 hour", "hour", "until the helper ends", "as long as the helper runs"],
            "an hour: the helper itself holds the last write end now, and exec does not close it.",
        ),
    },
    "m2_7_review": {
        "port": (
            ["second", "second server", "second container"],
            "the second: they share the network, and a port has one listener (bind(2), EADDRINUSE).",
        ),
        "limit": (
            100,
            "100: it is RLIMIT_AS, which counts per process. A cgroup's memory.max would count them together.",
        ),
    },
}
