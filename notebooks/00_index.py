# %% [markdown] id="title"
# # k8slab
#
# Kubernetes that you can read, run, pause and rewind, inside a notebook.
#
# ## Try it
#
# Click into the next cell and press **Shift+Enter**.

# %% id="try"
from k8slab import Cluster

with Cluster(nodes=3, seed=1) as cluster:
    print(cluster.kubectl("get nodes"))

# %% [markdown] id="chapters"
# ## Chapters
#
# | | | |
# |---|---|---|
# | 01 | [Hello, cluster](01_hello_cluster.ipynb) | start a cluster, run a program, mend an image that cannot be pulled |
#
# Each chapter takes 20 to 40 minutes. It shows first and explains then; run its cells from top to bottom.
#
# ## Exercises
#
# | | |
# |---|---|
# | 01 | [Predict and repair an ImagePullBackOff](../exercises/01_hello_cluster/image_pull_backoff.ipynb) |
#
# An exercise tells you at once what is right, and gives hints when you ask.

# %% [markdown] id="keys"
# ## Keys
#
# | | |
# |---|---|
# | Shift+Enter | run this cell, go to the next |
# | Ctrl+Enter | run this cell, stay |
# | Tab | complete a name |
# | Shift+Tab | what a function does |
# | 0 0 | restart the kernel: the cluster is gone, nothing is left behind |
#
# ## Something is odd
#
# - `cluster.kubectl("get events")` says what happened.
# - `cluster.history()` says who wrote what.
# - `cluster.close()` stops a cluster and removes all that it made.
