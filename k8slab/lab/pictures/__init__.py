"""Pictures from records: what happened in a cluster, drawn.

    ownership.py        who owns whom            states.py         where in its life something is
    reconciliation.py   desired, observed, done  architecture.py   who talks to whom, and what is broken
    timeline.py         what lasted how long     causal.py         what happened because of what
    sequence.py         the way of a command     chain.py          the way of one request, inside the API server
    verdicts.py         why that node

Each has a function that makes its picture of an engine and a trace, and a pure one that makes the model of records. What
they share: units of work (`units.py`), writes in words (`deeds.py`), what lasts (`spans.py`), faults in words
(`breakages.py`), what a component knew
(`heard.py`), and which part of a cluster's life is meant (`scope.py`). Two tables stand by themselves: what controllers
compare (`goals.py`), and the lives of Pods and Deployments (`machines.py`).
"""
