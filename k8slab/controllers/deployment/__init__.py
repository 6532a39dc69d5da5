"""The Deployment controller: from one version of a Pod to the next.

Read `deployment_controller.py` first (one look at a Deployment, and what it leads to), then the two strategies, `rolling.py`
with the arithmetic of `fences.py`, and `recreate.py`. `revisions.py` tells which ReplicaSet is which version,
`replica_sets.py` writes them, `scaling.py` shares a new size out in the middle of a rollout. `progress.py` reports, in the
conditions of `status.py`.
"""

from k8slab.controllers.deployment.deployment_controller import DeploymentController

__all__ = ["DeploymentController"]
