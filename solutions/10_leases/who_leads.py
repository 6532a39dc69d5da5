# %% [markdown] id="title"
# # Exercise: who leads?
#
# Nine points. About 15 minutes. You need chapter 10.
#
# Three schedulers, one lease, and seven things that can happen to them.
# How many work as the leader then: none, one, or two?

# %% id="setup"
from k8slab.lab.checks import who_leads as check

cluster = check.new_cluster()
cluster.kubectl("get lease -n kube-system")

# %% [markdown] id="predict"
# ## 1. Predict
#
# In each case one of them has led for 20 seconds, and all is well.
# Then the thing happens, and does not end.
# Some seconds later you count those who work as the leader does, because they believe that they are.
#
# - *crashes*: it is gone, without a word.
# - *restarts*: it is gone, and the same program is started again at once.
# - *ends in good order*: somebody has asked it to end.
# - *is cut off*: it runs, and cannot reach the API server.
# - *stands still*: not one instruction of it is executed, as on a laptop that sleeps.
# - *a waiting one* is one of the two that do not lead.
#
# Replace each `None` by 0, 1 or 2.

# %% id="prediction" nbgrader={"grade": false, "grade_id": "prediction", "locked": false, "schema_version": 3, "solution": true, "task": false}
prediction = {
    "the leader crashes; 14 seconds later": None,
    "the leader restarts; 5 seconds later": None,
    "the leader ends in good order; 5 seconds later": None,
    "a waiting one's clock is an hour ahead; 60 seconds later": None,
    "the leader is cut off from the API server; 13 seconds later": None,
    "the leader stands still; 25 seconds later": None,
    "a waiting one's clock runs ten times as fast; 8 seconds later": None,
}
### BEGIN SOLUTION
prediction = dict(zip(prediction, (0, 0, 1, 1, 0, 2, 2), strict=True))
### END SOLUTION

# %% [markdown] id="check-prediction"
# The judge lets each thing happen in three clusters of its own. `check.PREDICTION.hint(1)` to `hint(3)` help.

# %% id="prediction-points" nbgrader={"grade": true, "grade_id": "prediction-points", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
result = check.check_prediction(prediction)
print(result)
result.points

# %% [markdown] id="look"
# Now let one of them happen, and look.
# The faults are `crash`, `restart`, `stop`, `clock-skew` (`ahead="1h"`), `cut-off`, `freeze` and `clock-rate` (`rate=10`).

# %% id="run"
leader = next(name.split("/")[0] for name in cluster.components if name.endswith("/kube-scheduler"))
with cluster.fault("cut-off", component=leader):
    cluster.run_for("40s")
cluster.pictures.elections()

# %% [markdown] id="explain"
# ## 2. Explain
#
# Choose the right reason.

# %% id="questions"
check.show_questions()

# %% id="reasons" nbgrader={"grade": false, "grade_id": "reasons", "locked": false, "schema_version": 3, "solution": true, "task": false}
reasons = {
    "how a candidate knows": None,
    "the write of a sleeper": None,
}
### BEGIN SOLUTION
reasons["how a candidate knows"] = "c"
reasons["the write of a sleeper"] = "b"
### END SOLUTION

# %% [markdown] id="check-reasons"
# `check.REASONS.hint(1)` to `hint(3)` help.

# %% id="reasons-points" nbgrader={"grade": true, "grade_id": "reasons-points", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = check.check_reasons(reasons)
print(result)
result.points

# %% id="close"
cluster.close()
