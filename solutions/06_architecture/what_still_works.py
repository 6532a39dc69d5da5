# %% [markdown] id="title"
# # Exercise: what still works?
#
# Eight points. About 20 minutes. You need chapter 06.
#
# A part of the cluster is switched off. Some things no longer happen, and most go on.
# First you predict which, then you say why.

# %% id="setup"
from k8slab.lab.checks import what_still_works as check

cluster = check.running_cluster()
cluster.kubectl("get deployments,pods -o wide")

# %% [markdown] id="things-intro"
# ## 1. Predict
#
# These are the things. Each has a short code:

# %% id="things"
for code, thing in check.THINGS.items():
    print(f"{code:12} {thing.says}")

# %% [markdown] id="predict"
# One part is switched off. A little later you try one of these things, and wait for a minute and a half.
# Which of them do *not* happen any more?
#
# Write a list of codes for each part, such as `["scaled", "replaced"]`. What is in no list still happens.
#
# - `kubelets` are all kubelets, on every node.
# - `API server` means: every component's line to the API server is cut, in both directions. Only your own `kubectl` still reaches it.
# - Read the things by the letter. A Pod can be there and be `Pending`.

# %% id="prediction" nbgrader={"grade": false, "grade_id": "prediction", "locked": false, "schema_version": 3, "solution": true, "task": false}
no_longer = {
    "deployment-controller": None,
    "replicaset-controller": None,
    "kube-scheduler": None,
    "kubelets": None,
    "garbage-collector-controller": None,
    "API server": None,
}
### BEGIN SOLUTION
no_longer["deployment-controller"] = ["scaled"]
no_longer["replicaset-controller"] = ["scaled", "replaced"]
no_longer["kube-scheduler"] = ["gets-a-node"]
no_longer["kubelets"] = ["restarted", "cleaned-up"]
no_longer["garbage-collector-controller"] = ["cleaned-up"]
no_longer["API server"] = ["scaled", "replaced", "gets-a-node", "cleaned-up"]
### END SOLUTION

# %% [markdown] id="check-prediction"
# The judge plays each pair in a cluster of its own. `check.PREDICTION.hint(1)` to `hint(3)` help.

# %% id="prediction-points" nbgrader={"grade": true, "grade_id": "prediction-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_prediction(no_longer)
print(result)
result.points

# %% [markdown] id="look"
# Now look at two of them yourself. First: a new Pod while the scheduler is off, and after it has come back.

# %% id="scheduler-off"
with cluster.fault("crash", component="kube-scheduler"):
    cluster.kubectl("run late --image=nginx")
    cluster.run_for("60s")
    print(cluster.kubectl("get pod late"))

# %% id="scheduler-back"
cluster.run_for("10s")
cluster.kubectl("get pod late")

# %% [markdown] id="cut-intro"
# Second: a container crashes while nobody reaches the API server.
# `kubectl get` shows what the kubelet wrote last. The records show what it asked of its container runtime meanwhile.

# %% id="cut"
pod = cluster.kubectl("get pods -l app=web -o name").stdout.strip().removeprefix("pod/")
check.switch_off(cluster, "API server")
cluster.fault("container-crash", pod=pod).start()
cluster.run_for("60s")
print(cluster.kubectl(f"get pod {pod}"))
for call in cluster.records(kind="call")[-2:]:
    print(call.component, call.verb, call.what)

# %% [markdown] id="explain"
# ## 2. Explain
#
# **`back again`.** The scheduler was off when `late` was created. When it was back, `late` got a node. How did the scheduler come to know of it?
#
# - `called`: the API server had kept the calls to the scheduler, and made them now.
# - `lists`: a scheduler that starts asks for all Pods, and sees which have no node.
# - `recreated`: the Pod was deleted, and made anew.
# - `kubelet`: a kubelet found the Pod, and took it.
#
# **`cut off`.** Nobody reached the API server, and the crashed container was restarted all the same. Why?
#
# - `runtime`: the container runtime restarts containers by itself.
# - `replicaset`: its ReplicaSet saw to it that there is one.
# - `knows`: the kubelet still knows what should run on its node, and sees what runs there.
# - `cache`: the node has a copy of the API server.
#
# Replace each `None` by one of the words.

# %% id="reasons" nbgrader={"grade": false, "grade_id": "reasons", "locked": false, "schema_version": 3, "solution": true, "task": false}
reasons = {
    "back again": None,
    "cut off": None,
}
### BEGIN SOLUTION
reasons["back again"] = "lists"
reasons["cut off"] = "knows"
### END SOLUTION

# %% [markdown] id="check-reasons"
# `check.REASONS.hint(1)` to `hint(3)` help.

# %% id="reasons-points" nbgrader={"grade": true, "grade_id": "reasons-points", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = check.check_reasons(reasons)
print(result)
result.points

# %% [markdown] id="more"
# A minute and a half is short. What a cluster does about a node that stays silent for longer is told in chapter 07.

# %% id="close"
cluster.close()
