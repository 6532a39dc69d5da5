# %% [markdown] id="title"
# # Exercise: what survives?
#
# Seven points. About 15 minutes. You need chapter 13.
#
# Seven small worlds. In each of them somebody deletes something, or nobody does.
# You say what is still there an hour later.

# %% id="setup"
from k8slab.lab.checks import what_survives as check

print(check.stories())

# %% [markdown] id="predict"
# ## Predict
#
# All objects are ConfigMaps, in the namespace `default` unless it says otherwise.
# `ghost` is an owner that never was.
# Owner references block: in the foreground, an owner waits for all its dependents.
# What is still there counts, even if it is being deleted.
#
# Replace each `None` by a list of names. If nothing is left, it is the empty list `[]`.

# %% id="survivors" nbgrader={"grade": false, "grade_id": "survivors", "locked": false, "schema_version": 3, "solution": true, "task": false}
survivors = {
    "nobody's": None,
    "up or down": None,
    "grandchildren": None,
    "two owners": None,
    "across namespaces": None,
    "orphans": None,
    "held": None,
}
### BEGIN SOLUTION
survivors = {
    "nobody's": ["alone"],
    "up or down": ["parent"],
    "grandchildren": [],
    "two owners": ["two", "child", "odd"],
    "across namespaces": ["parent", "near"],
    "orphans": ["child", "grandchild"],
    "held": ["parent", "child"],
}
### END SOLUTION

# %% [markdown] id="check-survivors"
# The judge lives these stories in clusters of its own. `check.SURVIVORS.hint(1)` to `hint(3)` help.

# %% id="survivors-points" nbgrader={"grade": true, "grade_id": "survivors-points", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
result = check.check_survivors(survivors)
print(result)
result.points

# %% [markdown] id="look"
# ## Look
#
# Any of the stories, as it has ended:

# %% id="look-held"
with check.practice("held") as cluster:
    print(cluster.kubectl("get configmaps"))
    print(cluster.pictures.ownership())
