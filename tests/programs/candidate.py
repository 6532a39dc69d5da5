"""One candidate of an election, by the official client's LeaseLock: it says when it leads, and leads until it is killed."""

from __future__ import annotations

import sys
import threading

from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

me = sys.argv[1]
config.load_kube_config()


def lead() -> None:
    print(f"{me} leads", flush=True)
    threading.Event().wait()


leaderelection.LeaderElection(
    electionconfig.Config(
        LeaseLock("crown", "default", me),
        lease_duration=3,
        renew_deadline=2,
        retry_period=1,
        onstarted_leading=lead,
        onstopped_leading=lambda: print(f"{me} stopped", flush=True),
    )
).run()
