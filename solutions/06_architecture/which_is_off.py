# %% [markdown] id="title"
# # Exercise: which component is off?
#
# Six points. About 20 minutes. You need chapter 06.
#
# A cluster does not say which of its parts has stopped. It only no longer does one thing.
# You write the function that finds out.

# %% id="setup"
from k8slab.lab.checks import which_is_off as check

with check.practice("kube-scheduler") as cluster:
    print(cluster.kubectl("get deployments,pods"))

# %% [markdown] id="look"
# In this cluster the scheduler is off, and everything looks fine.
# The Pods were running before, and nothing has changed since.
# So looking is not enough: somebody has to ask for something new.

# %% id="try-something"
with check.practice("kube-scheduler") as cluster:
    cluster.kubectl("create deployment probe --image=nginx")
    cluster.run_for("30s")
    print(cluster.kubectl("get deployments,replicasets,pods -l app=probe -o wide"))

# %% [markdown] id="task"
# ## Write `diagnose`
#
# It gets a cluster in which at most one of these is off, and returns its name:
#
# - `"deployment-controller"`, `"replicaset-controller"`, `"kube-scheduler"`;
# - `"garbage-collector-controller"`, `"namespace-controller"`;
# - the kubelet of one node: `"kubelet-NODE"`, with the node's name, such as `"kubelet-node-1"`;
# - `"none"`, if all of them work.
#
# `cluster` has only `cluster.kubectl("...")` and `cluster.run_for("30s")`, as every cluster of the world.
# You may create and delete what you like: the judge throws the cluster away.
# The namespace `default` holds a Deployment `web`, which was there before.
#
# Three things to know:
#
# - A result of `kubectl` has `.stdout`, and with `-o json` also `.json()`.
# - `kubectl delete` waits until the object is gone. With `--wait=false` it does not.
# - The clusters have two nodes, or three.


# %% id="diagnose-function" nbgrader={"grade": false, "grade_id": "diagnose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnose(cluster):
    ### BEGIN SOLUTION
    cluster.kubectl("create namespace probe")
    cluster.kubectl("create deployment probe -n probe --image=nginx --replicas=9")
    cluster.run_for("30s")
    found = cluster.kubectl("get replicasets,pods -n probe -o json").json()["items"]
    pods = [each for each in found if each["kind"] == "Pod"]
    if not found:
        return "deployment-controller"
    if not pods:
        return "replicaset-controller"
    for pod in pods:
        if "nodeName" not in pod["spec"]:
            return "kube-scheduler"
        if pod["status"]["phase"] != "Running":
            return "kubelet-" + pod["spec"]["nodeName"]

    cluster.kubectl("delete deployment probe -n probe")
    cluster.run_for("60s")
    if cluster.kubectl("get pods -n probe -o name").stdout:
        return "garbage-collector-controller"

    cluster.kubectl("delete namespace probe --wait=false")
    cluster.run_for("60s")
    if cluster.kubectl("get namespace probe --ignore-not-found").stdout:
        return "namespace-controller"
    return "none"
    ### END SOLUTION


# %% id="try"
with check.practice("replicaset-controller") as cluster:
    print(diagnose(cluster))

# %% [markdown] id="check-diagnosis"
# The judge has seven cases, in clusters of other seeds and with other nodes. `check.DIAGNOSIS.hint(1)` to `hint(3)` help.

# %% id="diagnosis-points" nbgrader={"grade": true, "grade_id": "diagnosis-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_diagnosis(diagnose)
print(result)
result.points
