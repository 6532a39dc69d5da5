# %% [markdown] id="title"
# # Exercise: which Pod goes first?
#
# Six points. About 20 minutes. You need chapter 09.
#
# A ReplicaSet is scaled down. It has to give up some of its Pods: which?
# Kubernetes has a list of reasons, and the first difference decides. The Pod whose loss does the least harm goes first.

# %% [markdown] id="reasons"
# ## The reasons
#
# 1. A Pod without a node goes before one with a node.
# 2. `Pending` goes before `Unknown`, and that before `Running`.
# 3. A Pod that is not ready goes before one that is.
# 4. The one with the lower deletion cost: users can say so with the annotation `controller.kubernetes.io/pod-deletion-cost`.
# 5. The one on the node with the most Pods of this ReplicaSet.
# 6. The one that became ready last.
# 7. The one whose containers were restarted more often.
# 8. The youngest.
#
# (The real list rounds the ages in 6 and 8 to powers of two, so that chance decides among Pods of about the same age. Here you need not.)

# %% id="look"
from k8slab.lab.checks import deletion_order as check

check.Candidate("web-abc", node="node-2", restarts=3)

# %% [markdown] id="task"
# ## Write `deletion_order`
#
# It gets a list of such Pods and returns them in order, those that go first in front.


# %% id="deletion-order" nbgrader={"grade": false, "grade_id": "deletion-order", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deletion_order(pods):
    ### BEGIN SOLUTION
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    return sorted(
        pods,
        key=lambda pod: (
            bool(pod.node),
            phases[pod.phase],
            pod.ready,
            pod.cost,
            -pod.siblings,
            pod.ready_for,
            -pod.restarts,
            pod.age,
        ),
    )
    ### END SOLUTION


# %% id="try"
crowd = [check.Candidate("old", age=7200.0), check.Candidate("young", age=60.0), check.Candidate("dear", cost=10)]
print(deletion_order(crowd))

# %% [markdown] id="check-read"
# The last criterion puts your function into a real cluster and scales a ReplicaSet down. `check.ORDER.hint(1)` to `hint(3)` help.

# %% id="order-points" nbgrader={"grade": true, "grade_id": "order-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_deletion_order(deletion_order)
print(result)
result.points
