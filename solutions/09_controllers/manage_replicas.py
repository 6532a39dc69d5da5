# %% [markdown] id="title"
# # Exercise: as many as there should be
#
# Seven points. About 30 minutes. You need chapter 09.
#
# A ReplicaSet says how many Pods there should be. A controller makes it so.
# You write the heart of that controller, and it is put into a real cluster, in the place of Kubernetes' own.

# %% [markdown] id="task"
# ## Write `manage_replicas`
#
# It is called again and again, whenever something may have changed. It gets
#
# - `key`: the ReplicaSet's name, such as `"default/web"`;
# - `wanted`: how many Pods there should be;
# - `pods`: the Pods that the cache knows, without those that are going. A Pod has a `name` and a `uid`;
# - `expectations`: what was done and not yet seen. It has
#   `satisfied(key)`, `expect_creations(key, count)`, `expect_deletions(key, uids)`,
#   `creation_observed(key)` and `deletion_observed(key, uid)`;
# - `api`: what you may do. `api.create_pod()` makes one, `api.delete_pod(pod)` deletes one. Both raise `ApiError` where the API server will not.
#
# What your controller's watch tells is observed for you: a new Pod counts as `creation_observed`, a Pod that goes as `deletion_observed`.
# The seen is taken off what is expected; `satisfied` is true when nothing is left.
# If you let an `ApiError` go, the key comes back later.
#
# Two things make it hard:
#
# - The watch may be slow. Then `pods` is the past, and what you made a moment ago is not in it yet.
# - A request may fail. What was not made will never be seen, and what was not deleted will never be seen to go.

# %% id="manage-replicas" nbgrader={"grade": false, "grade_id": "manage-replicas", "locked": false, "schema_version": 3, "solution": true, "task": false}
from k8slab.apimachinery.errors import ApiError


def manage_replicas(key, wanted, pods, expectations, api):
    ### BEGIN SOLUTION
    if not expectations.satisfied(key):
        return
    missing = wanted - len(pods)
    if missing > 0:
        expectations.expect_creations(key, missing)
        for number in range(missing):
            try:
                api.create_pod()
            except ApiError:
                for _ in range(missing - number):
                    expectations.creation_observed(key)
                raise
    elif missing < 0:
        doomed = pods[:-missing]
        expectations.expect_deletions(key, [pod.uid for pod in doomed])
        for number, pod in enumerate(doomed):
            try:
                api.delete_pod(pod)
            except ApiError:
                for left in doomed[number:]:
                    expectations.deletion_observed(key, left.uid)
                raise
    ### END SOLUTION


# %% [markdown] id="try-read"
# Try it: three Pods, with a watch that is up to eight seconds late.

# %% id="try"
from k8slab.lab.checks import manage_replicas as check

with check.practice(manage_replicas, replicas=3, slow=8) as cluster:
    print(cluster.kubectl("get replicasets,pods"))

# %% [markdown] id="check-read"
# The judge uses other seeds. `check.MANAGE.hint(1)` to `hint(3)` help.

# %% id="manage-points" nbgrader={"grade": true, "grade_id": "manage-points", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
result = check.check_manage_replicas(manage_replicas)
print(result)
result.points
