# %% [markdown] id="title"
# # Exercise: clean up once
#
# Six points. About 25 minutes. You need chapter 13.
#
# You write a controller that makes something outside of the cluster, and cleans it up.
# It may crash at any moment.

# %% id="setup"
from k8slab.lab.checks import clean_up as check

# %% [markdown] id="task"
# ## Write the reconcile
#
# A *claim* is a ConfigMap with the label `app=disk`.
# For each claim there is to be one disk of its name, as long as the claim lives.
# Disks are outside of the cluster: the garbage collector does not know them.
#
# Whenever a claim has changed, and after each crash, `reconcile(claim, disks, api)` is called.
#
# - `claim` is the object as the API server has it now, a dictionary.
# - `disks.exists(name)`, `disks.create(name)` and `disks.remove(name)` work on the disks. To make a disk that is there is an error, and so is to remove one that is not.
# - `api.set_finalizers(claim, finalizers)` writes the claim's finalizers, all of them. The claim may have others, of other people.
#
# Your finalizer is `example.com/disk`.
#
# You have no memory: what you know after a crash is what you can see.


# %% id="reconcile-function" nbgrader={"grade": false, "grade_id": "reconcile", "locked": false, "schema_version": 3, "solution": true, "task": false}
MINE = "example.com/disk"


def reconcile(claim, disks, api):
    ### BEGIN SOLUTION
    meta = claim["metadata"]
    name, finalizers = meta["name"], meta.get("finalizers", [])
    if "deletionTimestamp" not in meta:
        if MINE not in finalizers:
            api.set_finalizers(claim, [*finalizers, MINE])
        if not disks.exists(name):
            disks.create(name)
    elif MINE in finalizers:
        if disks.exists(name):
            disks.remove(name)
        api.set_finalizers(claim, [each for each in finalizers if each != MINE])
    ### END SOLUTION


# %% [markdown] id="try-intro"
# Try it:

# %% id="try"
cluster, disks = check.practice(reconcile)
claim = "{apiVersion: v1, kind: ConfigMap, metadata: {name: photos, labels: {app: disk}}}"
cluster.kubectl("create -f -", stdin=claim)
cluster.run_for("5s")
print(cluster.kubectl("get configmap photos -o jsonpath={.metadata.finalizers}"), disks.exists("photos"))
print(cluster.kubectl("delete configmap photos --timeout=10s"), disks.exists("photos"))
cluster.close()

# %% [markdown] id="check-reconcile"
# The judge lets the controller crash after each of its deeds.
# `check.CLEAN_UP.hint(1)` to `hint(3)` help.

# %% id="reconcile-points" nbgrader={"grade": true, "grade_id": "reconcile-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_clean_up(reconcile)
print(result)
result.points
