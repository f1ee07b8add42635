"""What a process is shut into: each layer's steps, and the one table that says their order and why.

Used by mdock's child, by the sandbox's runner around a learner's code, and by the doctor, who tries what a machine
permits. To be read in this order::

    step.py           Step: one system call, with its name, its words and what it does; Child: what steps know and learn
    sequence.py       the table of contents of a container: every layer, in order, and why it stands there
    wanted.py         what somebody wants of it
    enter.py          apply the steps, here and now
    ask.py            what a step cannot do itself, and its parent's half
    trial.py          try it in a child, to know whether it works
    probe.py          try every feature: what the doctor tells

    pid.py            who looks after orphans; the first process of a pid namespace
    user.py           a user namespace, whose ids are written by the process itself
    mapped.py         one whose ids its parent writes
    namespaces.py     mounts, processes, network, System V and POSIX IPC, host name
    root.py           another root by chroot
    mount.py          mounts, one system call each
    private_root.py   another root made of mounts, by pivot_root
    rlimit.py         resource limits, and who goes first when there is too little
    rights.py         ids, capabilities, no_new_privs
    files.py          files out of reach, without privilege (Landlock)
    signals.py        nobody outside is signalled
    syscalls.py       system calls refused (seccomp)
    terminal.py       a terminal of its own
    observe.py        the parent looks

Empty on purpose: a process that forks imports as little of it as it can.
"""
