"""What mdock does. The launch path (launch, forker, launcher, supervisor) uses the standard library only.

From the ground up::

    child/           what a fork copies: from the start gate to execve
    state/           what lies in a home
    image/           how images come to be
    protocol.py      what callers and supervisors say to each other
    doctor.py        what a machine permits is tried, in a child (usernstrial.py: user namespaces alone)
    supervisor/      the parent's side of a container
    client/          the caller's side of a run
    engine.py        Runtime: each command as a short story; the files below do what it says
    given.py           what callers gave, as what mdock works with
    runio.py           what a run is given beside its spec
    running.py         a run, from its request to its end
    started.py         one that nobody waits for
    looking.py         how containers stand
    lastword.py        the moment between an end and its record
    inspecting.py      everything known of one (dockernames.py: in docker's words)
    processes.py       the processes of a notebook, by their names
    ending.py          stop, kill and wait
    signalling.py      signals by pidfd
    removing.py        rm and prune
    building.py        how images come and go
    machine.py         what this machine permits, and what this home is set to
    unsaid.py          what there is to say and no result carries
    kept.py          the runtimes of this process, one a home
    images.py        for notebooks that were handed out; so is steps.py
"""
