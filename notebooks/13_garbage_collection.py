# %% [markdown] id="title"
# # 13 · Garbage collection
#
# After this chapter you can
#
# - say who owns whom, and where that is written,
# - delete an object in three ways, and say what becomes of what it owns, and in which order,
# - find out why an object, or a whole namespace, will not go, and mend it,
# - say what the garbage collector takes, and what it never takes,
# - say which images and containers a kubelet removes, and when.
#
# It follows the pages [Garbage Collection](https://kubernetes.io/docs/concepts/architecture/garbage-collection/), [Owners and Dependents](https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/) and [Finalizers](https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/).
# You need chapter 02.

# %% [markdown] id="owners"
# ## Who owns whom
#
# A Deployment with two Pods, and a ConfigMap that belongs to nobody.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=2, seed=13)
cluster.kubectl("create deployment web --image=nginx --replicas=2")
cluster.kubectl("create configmap settings --from-literal=colour=green")
cluster.run_until_idle()
# %kubectl get deployments,replicasets,pods,configmaps

# %% id="owners-picture"
cluster.pictures.ownership()

# %% [markdown] id="owners-read"
# How does the picture know?
# Each *dependent* names its owner.
# Ask a Pod:

# %% id="owners-pod"
pod = cluster.kubectl("get pods -o name").stdout.split()[0]
print(cluster.kubectl(["get", pod, "-o", "jsonpath-as-json={.metadata.ownerReferences}"]))

# %% [markdown] id="owners-fields"
# - `kind`, `name` and `uid` say who the owner is. The UID counts: an object with the same name that comes later is somebody else.
# - There is no namespace in it. An owner lives in the same namespace, or in none.
# - `controller: true`: of all owners this is the one that manages the Pod.
# - `blockOwnerDeletion: true`: more of that below.
#
# Now ask the Deployment for its ReplicaSet, or the ReplicaSet for its Pods.
# There is nothing to ask for: **an owner does not know what it owns.**
# Whoever wants to know has to look at everything, and see who names whom.
# One component does just that: the garbage collector.

# %% [markdown] id="nobody"
# ### Owned by nobody
#
# `settings` names no owner.
# Is it garbage?
# Let an hour pass.

# %% id="nobody-hour"
cluster.run_for("1h")
# %kubectl get configmap settings

# %% [markdown] id="nobody-read"
# No.
# Kubernetes knows nothing of use: a ConfigMap that nobody reads stays for ever.
# Garbage is only what **names owners, and none of them is there**.
# That is the whole rule.

# %% [markdown] id="background"
# ## In the background
#
# You delete the Deployment.
# Before you look: who deletes the ReplicaSet, and who the Pods?

# %% id="background-delete"
before = len(cluster.history())
# %kubectl delete deployment web

# %% id="background-idle"
cluster.run_until_idle()
cluster.history()[before:].by("garbage-collector")

# %% [markdown] id="background-read"
# The API server has removed the Deployment at once, and nothing else.
# The garbage collector's watch told it: an owner is gone.
# So it looked at whoever named that owner, and deleted the ReplicaSet.
# Then *that* owner was gone, and so on.
# This is called *cascading deletion*.
#
# The Pods were not gone at once, for their containers had to end.
# The last write on a Pod is its kubelet's:

# %% id="background-why"
cluster.why(pod)

# %% [markdown] id="foreground"
# ## In the foreground
#
# In the background the owner goes first.
# Sometimes it should go last: as long as it is there, something of it may be left.
# Ask for that with `--cascade=foreground`.

# %% id="foreground-create"
cluster.kubectl("create deployment web --image=nginx --replicas=2")
cluster.run_until_idle()
stop = cluster.break_on(kind="Deployment", name="web", when=lambda web: web.metadata.deleting)
# %kubectl delete deployment web --cascade=foreground --wait=false

# %% id="foreground-marked"
cluster.unbreak(stop)
cluster.kubectl(["get", "deployment", "web", "-o", "jsonpath-as-json={.metadata['deletionTimestamp','finalizers']}"])

# %% [markdown] id="foreground-marked-read"
# The Deployment is still there.
# It has a `deletionTimestamp`: somebody has asked for its deletion, and nothing takes that back.
# And it has a *finalizer*, `foregroundDeletion`.
# An object with a finalizer is not removed, until somebody takes that off.
#
# Now the collector works, one write at a time.

# %% id="foreground-step-1"
cluster.step(by="write", component="garbage-collector-controller")

# %% id="foreground-step-2"
cluster.step(2, by="write", component="garbage-collector-controller")

# %% id="foreground-picture"
cluster.pictures.ownership("deployment", "web")

# %% [markdown] id="foreground-picture-read"
# The whole tree is marked, from the top down.
# The ReplicaSet has got the finalizer as well, for it has dependents itself.
# It goes from the bottom up:

# %% id="foreground-rest"
before = len(cluster.history())
cluster.run_until_idle()
cluster.history()[before:].by("garbage-collector")

# %% [markdown] id="foreground-read"
# The Pods end, then the collector takes the finalizer off the ReplicaSet, then off the Deployment.
# Taking the last finalizer off an object that is being deleted removes it.
#
# An owner waits only for dependents that name it with `blockOwnerDeletion: true`.

# %% id="foreground-gone"
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="orphan"
# ## Orphans
#
# The third way: the owner goes, and what it owns stays.

# %% id="orphan-create"
cluster.kubectl("create deployment web --image=nginx --replicas=2")
cluster.run_until_idle()
before = len(cluster.history())
# %kubectl delete deployment web --cascade=orphan

# %% id="orphan-history"
cluster.run_until_idle()
print(cluster.history()[before:].by("garbage-collector"))
cluster.pictures.ownership()

# %% [markdown] id="orphan-read"
# The owner is marked with the finalizer `orphan`.
# The collector takes the owner out of its dependents' `ownerReferences`, then the finalizer off the owner.
# The order matters: were the owner gone first, its dependents would be garbage.
#
# The ReplicaSet names nobody now, and keeps its two Pods.
# A new Deployment with the same selector adopts it:

# %% id="orphan-adopted"
cluster.kubectl("create deployment web --image=nginx --replicas=2")
cluster.run_until_idle()
cluster.pictures.ownership("deployment", "web")

# %% [markdown] id="finalizers"
# ## A finalizer that holds
#
# Finalizers are not only the collector's.
# Anybody may put one on an object, and so say: not before I have cleaned up.
# A controller that has made something outside of the cluster, a disk or a load balancer, does that.
#
# This ConfigMap stands for such a disk.
# Nobody in this cluster has ever heard of its finalizer.

# %% id="held-create"
disk = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: disk
  finalizers: [example.com/disk]
"""
cluster.kubectl("create -f -", stdin=disk)
# %kubectl delete configmap disk --wait=false

# %% id="held-wait"
cluster.run_for("1h")
cluster.kubectl(["get", "configmap", "disk", "-o", "jsonpath-as-json={.metadata['deletionTimestamp','finalizers']}"])

# %% [markdown] id="held-read"
# kubectl says `deleted`, and an hour later it is there.
# Without `--wait=false` kubectl would wait for it, too.
#
# If you know Java: this is not `finalize()`.
# **Nobody is called.**
# A finalizer is a text in a list.
# Whoever has put it there has to watch for the `deletionTimestamp`, to clean up, and to take it off.
# If they are off, or were uninstalled before, the object waits.
#
# Who is sure that nothing is left to clean up may take it off by hand:

# %% id="held-mend"
let_go = '{"metadata": {"finalizers": null}}'
cluster.kubectl(["patch", "configmap", "disk", "--type=merge", "-p", let_go])

# %% id="held-gone"
# %kubectl get configmap disk --ignore-not-found

# %% [markdown] id="absent"
# ## When all owners are absent
#
# Owner references are only text.
# The API server does not ask whether there is such an owner.
# Three ConfigMaps:
#
# - `lost` names one owner, which never was,
# - `kept` names the same one, and `settings`, which is there,
# - `free` names nobody.
#
# The collector is off for the moment, so that you can see them all.

# %% id="absent-create"
cluster.crash("garbage-collector-controller")
uid = cluster.kubectl("get configmap settings -o jsonpath={.metadata.uid}").stdout
nobody = "{apiVersion: v1, kind: ConfigMap, name: nobody, uid: 11111111-2222-3333-4444-555555555555}"
settings = f"{{apiVersion: v1, kind: ConfigMap, name: settings, uid: {uid}}}"
for name, owners in {"lost": [nobody], "kept": [nobody, settings], "free": []}.items():
    references = ", ".join(owners)
    body = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, ownerReferences: [{references}]}}}}"
    cluster.kubectl("create -f -", stdin=body)

cluster.pictures.ownership()

# %% id="absent-idle"
cluster.start("garbage-collector-controller")
cluster.run_until_idle()
# %kubectl get configmaps -o custom-columns=NAME:.metadata.name,OWNERS:.metadata.ownerReferences[*].name

# %% [markdown] id="absent-read"
# - `lost` is gone: it named owners, and none was there.
# - `kept` stays, because one owner is there. The other one is no longer named.
# - `free` stays.
#
# Before it deletes anything, the collector asks the API server, once for the object and once for each owner.
# Its own picture of the cluster may be late: an owner that it has not heard of may only be new.

# %% [markdown] id="namespaces"
# ## An owner in another namespace
#
# `settings` lives in `default`.
# May an object in another namespace name it as its owner?

# %% id="cross-create"
cluster.kubectl("create namespace shop")
body = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: copy, namespace: shop, ownerReferences: [{settings}]}}}}"
cluster.kubectl("create -f -", stdin=body)

# %% id="cross-idle"
cluster.run_until_idle()
# %kubectl -n shop get configmaps,events

# %% [markdown] id="cross-read"
# It is gone, and an event says why.
# An owner reference has no namespace in it, so it always speaks of the dependent's own: a `settings` in `shop`, and there is none.
# For the collector that owner is absent, and the dependent is garbage.
#
# An owner outside of all namespaces, such as a Node, may own objects in any of them.
# The other way round makes no sense, and what names such an owner is never collected.

# %% [markdown] id="stuck"
# ## A namespace that will not go
#
# You delete a namespace: everything in it is to go.
# Here something holds on.

# %% id="stuck-create"
cluster.kubectl("-n shop create deployment api --image=nginx")
cluster.kubectl("-n shop create -f -", stdin=disk)
cluster.run_until_idle()
# %kubectl delete namespace shop --wait=false

# %% id="stuck-wait"
cluster.run_for("5m")
# %kubectl get namespace shop

# %% [markdown] id="stuck-why"
# `Terminating`, for five minutes.
# It does say why, in its conditions:

# %% id="stuck-conditions"
for condition in cluster.kubectl("get namespace shop -o json").json()["status"]["conditions"]:
    print(condition["type"], condition["status"], "\n   ", condition["message"])

# %% [markdown] id="stuck-mend"
# One ConfigMap remains, and it has a finalizer.
# Find it, and decide whether it may go.
# (On the web you will find how to take the finalizer off the *namespace* instead. Then the namespace is gone, and what was in it is left where nobody can reach it.)

# %% id="stuck-find"
# %kubectl -n shop get configmaps -o custom-columns=NAME:.metadata.name,FINALIZERS:.metadata.finalizers

# %% id="stuck-patch"
cluster.kubectl(["-n", "shop", "patch", "configmap", "disk", "--type=merge", "-p", let_go])

# %% id="stuck-gone"
cluster.run_for("10s")
# %kubectl get namespaces

# %% [markdown] id="stuck-read"
# A namespace is no owner: nothing names it in `ownerReferences`.
# A controller of its own empties it: the Pods first, everything else when they are gone.
# It looks again while something is left.

# %% [markdown] id="machines"
# ## Images and containers
#
# The collector takes objects.
# What containers leave behind on a machine is taken by that machine's kubelet.
#
# *Containers*: of each container of each Pod the newest dead one stays, so that you can read its log.
# Every minute the older ones go.

# %% id="dead-run"
# %kubectl run crash --image=busybox -- sh -c 'echo hello; exit 1'

# %% id="dead-wait"
cluster.run_for("10m")
node = cluster.kubectl("get pod crash -o jsonpath={.spec.nodeName}").stdout
runtime = cluster.engine.runtimes[node]
print(cluster.kubectl("get pod crash"))
print([(each.name, each.attempt, each.state.value) for each in runtime.list_containers() if each.name == "crash"])
print(cluster.kubectl("logs crash --previous"))

# %% [markdown] id="images"
# *Images*: every five minutes the kubelet looks how full the disk is.
# At 85 % it makes room, until 80 %.
# Two kinds of images stay: those that a container uses, and those that came less than two minutes ago.
# Of the others, those that were used least lately go first.
#
# Four versions of a program, one after the other, each for ten minutes, all on one node.


# %% id="images-fill"
def images():
    for image in runtime.list_images():
        print(f"{image.size >> 20:3} MiB  {image.tags[0].rpartition('/')[2]}")
    disk = runtime.image_fs_info()
    print(f"the disk is {100 - 100 * disk.available / disk.capacity:.0f} % full")


here = f'{{"spec": {{"nodeName": "{node}"}}}}'
for version in ("1.19", "1.25", "1.27", "1.29"):
    cluster.kubectl(["run", "old", f"--image=nginx:{version}", f"--overrides={here}"])
    cluster.run_for("10m")
    cluster.kubectl("delete pod old")

images()

# %% [markdown] id="images-full"
# The disk is large, so nothing has to go.
# Now let it be a small one, of 375 MiB.

# %% id="images-small"
cluster.fault("small-disk", node=node, size="375Mi").start()
disk = runtime.image_fs_info()
print(f"the disk is {100 - 100 * disk.available / disk.capacity:.0f} % full; five minutes later:")
cluster.run_for("5m")
images()

# %% [markdown] id="images-read"
# One is gone: that of the Pod that ended first.
# `nginx:latest` is older, but a container uses it: the Deployment `web` is still there.
# One was enough, so the others stay.
# A Pod that wants the old version again has to pull it again.
#
# The numbers are options of the kubelet: `imageGCHighThresholdPercent`, `imageGCLowThresholdPercent`, `imageMinimumGCAge`.
# If too little may go, an event of the node says so: `FreeDiskSpaceFailed`.
#
# (On Docker this cluster leaves images alone: that disk is yours.)

# %% [markdown] id="code"
# ## How the code does it
#
# The collector watches every kind of object, and keeps a graph.
# A node of it is small: no object, only who it is, whom it names, and whether it is going.

# %% id="show-node"
from k8slab.controllers.garbage_collector.graph import Node
from k8slab.lab import show

show(Node)

# %% [markdown] id="code-observe"
# When a watch tells of an object, the graph changes, and somebody has to be looked at:

# %% id="show-observe"
from k8slab.controllers.garbage_collector.graph_builder import GraphBuilder

show(GraphBuilder.observe)

# %% id="show-add-to-owners"
show(GraphBuilder._add_to_owners)

# %% [markdown] id="code-virtual"
# An owner of whom only a reference speaks gets a *virtual* node, and the server is asked for it.
#
# Looking at one object:

# %% id="show-attempt"
from k8slab.controllers.garbage_collector import GarbageCollector

show(GarbageCollector._attempt_to_delete)

# %% [markdown] id="code-fate"
# Here everything of this chapter is decided.
# `solid` owners are there, `dangling` ones are not, `waiting` ones are being deleted in the foreground.

# %% id="show-fate"
from k8slab.controllers.garbage_collector.fate import fate_of

show(fate_of)

# %% [markdown] id="code-ring"
# Two objects that own each other are no garbage: each has an owner that is there.
# If one of them is deleted in the foreground, each would wait for the other one.
# `unblock` sees to it that nobody waits.
#
# And orphans:

# %% id="show-orphan"
show(GarbageCollector._attempt_to_orphan)

# %% [markdown] id="code-absent"
# When a ReplicaSet with a thousand Pods goes, each Pod asks whether its owner is there.
# The answer is remembered:

# %% id="show-absent"
from k8slab.controllers.garbage_collector.absent_owners import AbsentOwners

show(AbsentOwners)

# %% [markdown] id="code-images"
# And this is how a kubelet chooses images:

# %% id="show-images"
from k8slab.kubelet.image_gc import image_gc_candidates

show(image_gc_candidates)

# %% [markdown] id="restart"
# The graph is nowhere stored.
# A collector that starts lists everything, and builds it anew.
# So it finds what became garbage while it was off:

# %% id="restart-crash"
cluster.crash("garbage-collector-controller")
cluster.kubectl("delete deployment web")
cluster.run_for("1m")
print(cluster.kubectl("get replicasets,pods -o name"))
cluster.start("garbage-collector-controller")
cluster.run_until_idle()
print(cluster.kubectl("get replicasets,pods -o name"))

# %% id="graph-size"
collector = cluster.engine.loop.component("garbage-collector-controller")
print(len(collector.graph.nodes), "nodes, of", len(collector.informers), "kinds")

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercises
#
# - [What survives?](../exercises/13_garbage_collection/what_survives.ipynb): predict what is left. About 15 minutes.
# - [Your own collector](../exercises/13_garbage_collection/own_collector.ipynb): write the graph and the decision, and put them into a cluster. About 30 minutes.
# - [Clean up once](../exercises/13_garbage_collection/clean_up.ipynb): write the controller behind a finalizer. It may crash at any moment. About 25 minutes.
#
# ## What real Kubernetes does besides
#
# - The collector asks for the kinds that there are every 30 seconds. This one is told when somebody defines a kind.
# - Who sets `blockOwnerDeletion` can be asked for the right to do so: the admission plugin `OwnerReferencesPermissionEnforcement`, off by default.
# - A kubelet may remove images also because nobody has used them for some days: `imageMaximumGCAge`, off by default.
# - There may be a limit for the dead containers of a whole node. By default there is none.
# - When a disk is so full that programs suffer, the kubelet evicts Pods as well.
#
# ## Where to read on
#
# - [Garbage Collection](https://kubernetes.io/docs/concepts/architecture/garbage-collection/)
# - [Owners and Dependents](https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/)
# - [Finalizers](https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/)
# - [Use Cascading Deletion in a Cluster](https://kubernetes.io/docs/tasks/administer-cluster/use-cascading-deletion/)
