# %% [markdown] id="title"
# # Exercise: what is written next?
#
# Six points. About 15 minutes. You need chapter 02.
#
# Nobody in a cluster calls anybody. Each component watches the API server, and when its watch has news, it writes.
# So a Deployment becomes a running Pod by a chain of writes.
# You predict the chain, one write at a time.

# %% id="setup"
from k8slab.lab.checks import next_write as check

cluster, stops = check.stopped_cluster()
stops

# %% [markdown] id="stops"
# This cluster has lived through `kubectl create deployment kubernetes-bootcamp`, up to the running Pod.
# Then it was taken back in time.
# `stops` names six places in its story, each with its step. `cluster.goto` goes there.

# %% id="stop"
cluster.goto(stops["there is a ReplicaSet"])
cluster.kubectl("get deployments,replicasets,pods")

# %% [markdown] id="predict"
# ## Predict
#
# For each stop: what is the next write?
#
# - `who` writes it: `deployment-controller`, `replicaset-controller`, `kube-scheduler`, `kubelet`, ... or somebody else?
# - `verb`: `create`, `update` or `delete`.
# - `kind`: of what object. `Deployment`, `ReplicaSet`, `Pod`, ...
# - `because of`: the kind of the object whose change made that component write.
#
# As an example, this is the write before the first stop:
# `{"who": "kubectl", "verb": "create", "kind": "Deployment", "because of": "your command"}`.
#
# Two sorts of writes do not count:
#
# - Events, never;
# - the counting, until the Pod is ready: both controllers update the numbers in the status of Deployment and ReplicaSet again and again.
#   So from `the Pod is ready` on, updates of Deployments and ReplicaSets count too.
#
# With these rules the answer is the same for every seed.
# Replace each `None`.

# %% id="prediction" nbgrader={"grade": false, "grade_id": "prediction", "locked": false, "schema_version": 3, "solution": true, "task": false}
prediction = {
    "there is a Deployment": {"who": None, "verb": None, "kind": None, "because of": None},
    "there is a ReplicaSet": {"who": None, "verb": None, "kind": None, "because of": None},
    "there is a Pod": {"who": None, "verb": None, "kind": None, "because of": None},
    "the Pod has a node": {"who": None, "verb": None, "kind": None, "because of": None},
    "the Pod is ready": {"who": None, "verb": None, "kind": None, "because of": None},
    "the ReplicaSet has counted": {"who": None, "verb": None, "kind": None, "because of": None},
}
### BEGIN SOLUTION
answers = {
    "there is a Deployment": ("deployment-controller", "create", "ReplicaSet", "Deployment"),
    "there is a ReplicaSet": ("replicaset-controller", "create", "Pod", "ReplicaSet"),
    "there is a Pod": ("kube-scheduler", "update", "Pod", "Pod"),
    "the Pod has a node": ("kubelet", "update", "Pod", "Pod"),
    "the Pod is ready": ("replicaset-controller", "update", "ReplicaSet", "Pod"),
    "the ReplicaSet has counted": ("deployment-controller", "update", "Deployment", "ReplicaSet"),
}
for stop, answer in answers.items():
    prediction[stop] = dict(zip(("who", "verb", "kind", "because of"), answer, strict=True))
### END SOLUTION

# %% [markdown] id="check-prediction"
# The judge compares with three clusters of its own. `check.PREDICTION.hint(1)` to `hint(3)` help.

# %% id="prediction-points" nbgrader={"grade": true, "grade_id": "prediction-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_prediction(prediction)
print(result)
result.points

# %% [markdown] id="look"
# ## Look
#
# Go to a stop, and go on until the scheduler has written. The lines of kind `commit` are the writes.
# Before its turn came you see others count, which depends on the seed.

# %% id="step"
cluster.goto(stops["there is a Pod"])
cluster.step(by="write", component="kube-scheduler")

# %% [markdown] id="why-intro"
# And this is the whole chain, read backwards from its end: why does the Deployment say that one replica is ready?

# %% id="why"
cluster.goto(cluster.last_step)
cluster.why("deployment/kubernetes-bootcamp", field="status.readyReplicas")

# %% id="close"
cluster.close()
