# %% [markdown] id="title"
# # Exercise: evicted, and when?
#
# Six points. About 15 minutes. You need chapter 07.
#
# A Pod runs on a node, and something happens to that node, and perhaps to others.
# You predict what comes of it.

# %% id="setup"
from k8slab.lab.checks import evicted_when as check

# %% [markdown] id="cases"
# ## Six cases
#
# | case | what happens |
# |---|---|
# | `one of three` | The Pod's node is switched off, one of three. |
# | `for two minutes` | The same, and after two minutes it is switched on again. |
# | `all three` | All three nodes are switched off. |
# | `three of five` | Three of five nodes are switched off, the Pod's among them. They are in one zone. |
# | `an impatient Pod` | As the first case, but the Pod tolerates `node.kubernetes.io/unreachable` for 30 s only. |
# | `a Pod of nobody` | Only the kubelet of the Pod's node crashes, one of three; the machine runs on. And the Pod was made by hand: it belongs to no Deployment. |
#
# In all the other cases the Pod belongs to a Deployment with one replica.
# The clusters are left alone for ten minutes.
#
# For each case say
#
# - `NotReady`: after how many seconds the Pod's node is no longer `Ready`, or `"never"`;
# - `deleted`: after how many seconds somebody asks for the Pod's deletion, or `"never"`;
# - `new Pod`: whether there is a new Pod in its place in the end, `True` or `False`.
#
# Seconds count from the moment at which it happens. 15 more or less do not matter.
# Replace each `None`.

# %% id="prediction" nbgrader={"grade": false, "grade_id": "prediction", "locked": false, "schema_version": 3, "solution": true, "task": false}
prediction = {
    "one of three": {"NotReady": None, "deleted": None, "new Pod": None},
    "for two minutes": {"NotReady": None, "deleted": None, "new Pod": None},
    "all three": {"NotReady": None, "deleted": None, "new Pod": None},
    "three of five": {"NotReady": None, "deleted": None, "new Pod": None},
    "an impatient Pod": {"NotReady": None, "deleted": None, "new Pod": None},
    "a Pod of nobody": {"NotReady": None, "deleted": None, "new Pod": None},
}
### BEGIN SOLUTION
answers = {
    "one of three": (50, 355, True),
    "for two minutes": (50, "never", False),
    "all three": (50, "never", False),
    "three of five": (50, "never", False),
    "an impatient Pod": (50, 85, True),
    "a Pod of nobody": (50, 355, False),
}
for case, answer in answers.items():
    prediction[case] = dict(zip(("NotReady", "deleted", "new Pod"), answer, strict=True))
### END SOLUTION

# %% [markdown] id="check-prediction"
# The judge lets each case happen in a cluster of its own. `check.PREDICTION.hint(1)` to `hint(3)` help.

# %% id="prediction-points" nbgrader={"grade": true, "grade_id": "prediction-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_prediction(prediction)
print(result)
result.points

# %% [markdown] id="look"
# ## Look
#
# `check.cluster_of(case)` is a cluster in which a case can be tried. Here is the first one, as a picture:

# %% id="try"
with check.cluster_of("one of three") as cluster:
    pod = cluster.kubectl("get pods -o json").json()["items"][0]
    cluster.fault("node-lost", node=pod["spec"]["nodeName"]).start()
    cluster.run_for("6m")
    picture = cluster.pictures.timeline(f"pod/{pod['metadata']['name']}")
picture
