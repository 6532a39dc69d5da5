"""The Job controller: Pods that run to an end, and are counted once each.

Read `state.py` first (how far a Job is, and what that means), then `job_controller.py` (one look, and what it leads to),
`pods.py` (who is made and who goes) and `tracking.py` (who ended is counted once, whatever crashes).
"""

from k8slab.controllers.job.job_controller import JobController

__all__ = ["JobController"]
