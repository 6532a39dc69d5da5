# %% [markdown] id="title"
# # Exercise: predict and repair an ImagePullBackOff
#
# Six points. About 15 minutes. You need chapter 01.
#
# A colleague has deployed a shop, and it does not start.
# First you predict what Kubernetes does about it, then you mend it.

# %% id="setup"
from k8slab.lab.checks import image_pull_backoff as check

cluster = check.broken_cluster()
cluster.kubectl("get deployments,pods")

# %% [markdown] id="predict"
# ## 1. Predict
#
# No time has passed yet. Think before you try:
#
# - Which STATUS does `kubectl get pods` show after 2 virtual seconds?
# - Which after 2 minutes?
# - How often has the kubelet tried to pull a Pod's image by then, the first time included?
#
# Replace each `None` by your answer: two texts and a number.

# %% id="prediction" nbgrader={"grade": false, "grade_id": "prediction", "locked": false, "schema_version": 3, "solution": true, "task": false}
prediction = {
    "status after 2 seconds": None,
    "status after 2 minutes": None,
    "attempts in 2 minutes": None,
}
### BEGIN SOLUTION
prediction["status after 2 seconds"] = "ErrImagePull"
prediction["status after 2 minutes"] = "ImagePullBackOff"
prediction["attempts in 2 minutes"] = 4
### END SOLUTION

# %% [markdown] id="check-prediction"
# This cell tells you at once what is right. `check.PREDICTION.hint(1)` to `hint(3)` help.

# %% id="prediction-points" nbgrader={"grade": true, "grade_id": "prediction-points", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
result = check.check_prediction(prediction)
print(result)
result.points

# %% [markdown] id="look"
# Now let the time pass, and compare.

# %% id="run"
cluster.run_for("2m")
print(cluster.kubectl("get pods"))
print(cluster.kubectl("get events --field-selector reason=Failed"))

# %% [markdown] id="repair"
# ## 2. Repair
#
# Write a function that mends the shop, by `cluster.kubectl("...")`.
# A minute later both Pods should be ready. It must stay the same Deployment, and `kubectl rollout undo` must keep a way back.


# %% id="repair-function" nbgrader={"grade": false, "grade_id": "repair", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repair(cluster):
    ### BEGIN SOLUTION
    cluster.kubectl("set image deployment/shop agnhosst=registry.k8s.io/e2e-test-images/agnhost:2.39")
    ### END SOLUTION


# %% [markdown] id="check-repair"
# The judge plays your function in a cluster of its own. `check.REPAIR.hint(1)` to `hint(3)` help.

# %% id="repair-points" nbgrader={"grade": true, "grade_id": "repair-points", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
result = check.check_repair(repair)
print(result)
result.points

# %% id="close"
cluster.close()
