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
# | 02 | [Deploy an app](02_deploy_an_app.ipynb) | from `kubectl create` to a running container, step by step; go back, and another way |
# | 06 | [Architecture](06_architecture.ipynb) | the parts of a cluster; switch each of them off, and see what is missing |
# | 07 | [Nodes](07_nodes.ipynb) | how a machine becomes a node; lose one, and see what happens when; lose many |
# | 09 | [Controllers](09_controllers.ipynb) | the loop; level against edge; write one; what a stale cache does, and what helps |
# | 10 | [Leases](10_leases.ipynb) | heartbeats, and who leads; clocks that are wrong, and a leader that sleeps |
# | 13 | [Garbage collection](13_garbage_collection.ipynb) | who owns whom; delete in three ways; what will not go, and why |
#
# Each chapter takes 20 to 40 minutes. It shows first and explains then; run its cells from top to bottom.
#
# ## Exercises
#
# | | |
# |---|---|
# | 01 | [Predict and repair an ImagePullBackOff](../exercises/01_hello_cluster/image_pull_backoff.ipynb) |
# | 02 | [What is written next?](../exercises/02_deploy_an_app/next_write.ipynb) |
# | 02 | [The way to a Pod](../exercises/02_deploy_an_app/pod_path.ipynb) |
# | 06 | [What still works?](../exercises/06_architecture/what_still_works.ipynb) |
# | 06 | [Which component is off?](../exercises/06_architecture/which_is_off.ipynb) |
# | 07 | [A range for every node](../exercises/07_nodes/pod_cidr.ipynb) |
# | 07 | [Who is lost, and how fast to act](../exercises/07_nodes/node_health.ipynb) |
# | 07 | [Evicted, and when?](../exercises/07_nodes/evicted_when.ipynb) |
# | 09 | [As many as there should be](../exercises/09_controllers/manage_replicas.ipynb) |
# | 09 | [Which Pod goes first?](../exercises/09_controllers/deletion_order.ipynb) |
# | 09 | [The queue](../exercises/09_controllers/work_queue.ipynb) |
# | 10 | [Who leads?](../exercises/10_leases/who_leads.ipynb) |
# | 10 | [Who takes the lease?](../exercises/10_leases/election.ipynb) |
# | 10 | [Keep a node alive](../exercises/10_leases/heartbeat.ipynb) |
# | 13 | [What survives?](../exercises/13_garbage_collection/what_survives.ipynb) |
# | 13 | [Your own collector](../exercises/13_garbage_collection/own_collector.ipynb) |
# | 13 | [Clean up once](../exercises/13_garbage_collection/clean_up.ipynb) |
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
# The widgets, such as `cluster.view()` and `cluster.controls()`, work without a mouse too: Tab goes from one to the next, arrow keys from box to box, Enter chooses.
# In the controls, `s` is one step, `b` one back, `f` one forward, `p` play and pause.
#
# ## Something is odd
#
# | | |
# |---|---|
# | `cluster.kubectl("get events")` | what happened, as Kubernetes tells it |
# | `cluster.why("pod/NAME")` | why something is as it is, from your own command on |
# | `cluster.history()` | who wrote what |
# | `cluster.view()`, `cluster.timeline()`, `cluster.objects()` | everything, as live pictures |
# | `cluster.at("+30s").kubectl("get pods")` | how it was, 30 seconds after the start |
# | `cluster.diff("+30s")` | what has changed since, and by whom |
# | `cluster.step()`, `cluster.back()` | one step of one component on; one step back |
# | `cluster.story()` | what came from outside, and at which step: where to go back to, with `cluster.goto` |
# | `cluster.save("odd.k8slab")` | the whole story in a file, to show it to somebody |
# | `cluster.close()` | stops a cluster, and removes all that it made |
