"""A cluster that is not ours, looked at from outside: what its API tells, and how far that goes.

    read_only.py    requests that only read; why a server does not answer, in sentences
    kinds.py        which kinds there are: discovery
    reading.py      objects, in full or their metadata only; what we may not see
    state.py        how an object is, in a few words
    fields.py       a field of an object, and which fields differ
    managers.py     who wrote which field: managedFields
    events.py       what components said about an object
    ownership.py    who owns whom
    timeline.py     when what happened
    following.py    watches, followed        recording.py   what they brought, in order
    links.py        what explains what, and how that is known
    why.py          why something is as it is, as far as that is recorded
    answer.py       what all of them give back

Nothing here writes, and nothing here knows k8slab's engine: everything comes through `k8slab/client`. k8slab's own.
"""
