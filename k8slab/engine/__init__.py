"""The machine under a cluster: its parts put together, and the one way by which anything from outside reaches them.

spec.py, asked.py      what a cluster is made of      controllers.py     the table of controllers
engine.py              the parts, put together        control_plane.py   they, as processes or in candidates
machines.py            container runtimes             processes.py       what can be killed and made again
kubelets.py            one on each machine            accounts.py        as whom each part asks

inputs.py, diary.py    what comes from outside        replay.py          the same life again
journal.py             as it is kept                  fingerprint.py     whether it is the same
faults/                what can go wrong              instrument.py      where all this can be watched
"""
