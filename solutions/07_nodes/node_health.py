# %% [markdown] id="title"
# # Exercise: who is lost, and how fast to act
#
# Six points. About 20 minutes. You need chapter 07.
#
# The node lifecycle controller decides by three rules.
# You write them, and a cluster lives by them.

# %% id="setup"
from k8slab.lab.checks import node_health as check

# %% [markdown] id="task"
# ## Write three functions
#
# `is_lost(silent, posted)` returns True if a node is lost.
#
# - `silent`: for how many seconds there was no new sign of life. A sign is a renewed lease, or a posted status.
# - `posted`: whether its kubelet has ever posted its status.
#
# `zone_state(ready, not_ready)` returns `"Normal"`, `"PartialDisruption"` or `"FullDisruption"`: the state of a zone with so many nodes that are ready, and that are not.
#
# `eviction_rate(state, size)` returns how many nodes **a second** may get the `NoExecute` taint in a zone of this state, which has `size` nodes.
# One each ten seconds is 0.1.
#
# All numbers are in chapter 07.


# %% id="rules-functions" nbgrader={"grade": false, "grade_id": "rules", "locked": false, "schema_version": 3, "solution": true, "task": false}
def is_lost(silent, posted):
    ### BEGIN SOLUTION
    return silent >= (50 if posted else 60)
    ### END SOLUTION


def zone_state(ready, not_ready):
    ### BEGIN SOLUTION
    if not_ready and not ready:
        return "FullDisruption"
    if not_ready > 2 and not_ready / (ready + not_ready) >= 0.55:
        return "PartialDisruption"
    return "Normal"
    ### END SOLUTION


def eviction_rate(state, size):
    ### BEGIN SOLUTION
    if state == "PartialDisruption":
        return 0.01 if size > 50 else 0
    return 0.1
    ### END SOLUTION


# %% [markdown] id="try-intro"
# Try them. In this cluster two of five nodes are lost, and two minutes pass:

# %% id="try"
rules = {"is_lost": is_lost, "zone_state": zone_state, "eviction_rate": eviction_rate}

with check.practice(rules) as cluster:
    for name in ("a1", "a2"):
        cluster.fault("node-lost", node=name).start()
    cluster.run_for("2m")
    print(cluster.kubectl("get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].effect"))

# %% [markdown] id="check-rules"
# The judge loses nodes in clusters of its own: one of three, two of three, three of six, three of five, a whole zone, forty of sixty.
# `check.RULES.hint(1)` to `hint(3)` help.

# %% id="rules-points" nbgrader={"grade": true, "grade_id": "rules-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_rules(rules)
print(result)
result.points
