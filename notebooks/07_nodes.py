# %% [markdown] id="title"
# # 07 · Nodes
#
# After this chapter you can
#
# - say how a machine becomes a node, and who writes what into the Node object,
# - tell from a Pod's address on which node it is,
# - take a node out of use, empty it without an outage, and put it back,
# - predict, second by second, what happens when a node is lost, and say when nothing happens at all.
#
# It follows the page [Nodes](https://kubernetes.io/docs/concepts/architecture/nodes/).
# You need chapter 06.

# %% [markdown] id="object"
# ## A machine, and an object
#
# A node is a machine that runs Pods.
# For the cluster it is an object of kind Node.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=3, seed=7)
began = cluster.now
# %kubectl get nodes

# %% [markdown] id="object-writers"
# Who has made this object?
# The log knows every write, and who it was:

# %% id="writers"
for record in cluster.records(kind="commit", what="nodes/node-1"):
    print(f"{record.component:26} {record.verb}")

# %% [markdown] id="object-writers-read"
# Three have written, and none of them has talked to another:
#
# - The *kubelet* of the machine has registered it. It says how the machine is: `status`.
# - The *node IPAM controller* has given it a range of addresses for its Pods: `spec.podCIDR`.
# - When it had that, the kubelet could say that it is ready. The *node lifecycle controller* then took off a mark that keeps Pods away from new nodes.
#
# The way there, with its reasons:

# %% id="why-ready"
cluster.why("node/node-1")

# %% [markdown] id="by-hand"
# ## By itself, or by hand
#
# A kubelet registers its own node, unless it is told not to (`--register-node=false`).
# You can make the object too, for a machine that is still to come.

# %% id="by-hand-create"
manifest = """
apiVersion: v1
kind: Node
metadata:
  name: node-9
  labels: {disk: ssd}
"""
cluster.kubectl("create -f -", stdin=manifest)

# %% id="by-hand-wait"
cluster.run_for("65s")
# %kubectl get nodes

# %% [markdown] id="by-hand-read"
# Its status was empty at first.
# After a minute somebody has filled it in:


# %% id="by-hand-conditions"
def conditions(node):
    for condition in cluster.kubectl(f"get node {node} -o json").json()["status"]["conditions"]:
        print(f"{condition['type']:15} {condition['status']:8} {condition['reason']:24} {condition['message']}")


conditions("node-9")

# %% [markdown] id="names"
# It was the node lifecycle controller, for no kubelet has ever come.
# Such a node stays like this until you delete it.
#
# A name stands for one machine.
# A second node of the same name is refused:

# %% id="names-twice"
cluster.kubectl("create -f -", stdin=manifest)

# %% [markdown] id="names-read"
# A *kubelet* that comes with a name that is taken is not refused: it takes the object for its own, with all that was true of the old machine.
# So whoever replaces a machine by another one of the same name should delete the Node object first.

# %% id="by-hand-delete"
# %kubectl delete node node-9

# %% [markdown] id="cidr"
# ## podCIDR: a range of addresses
#
# Every Pod has an address of its own.
# Two nodes must never give away the same one, and they should not have to ask each other.
# So each gets a range that nobody else has:

# %% id="cidr-nodes"
# %kubectl get nodes -o custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR

# %% [markdown] id="cidr-read"
# `10.244.1.0/24` means: the first 24 of the 32 bits are given, the other 8 are free.
# That is every address from `10.244.1.0` to `10.244.1.255`.
# The cluster has `10.244.0.0/16`, in which there is room for 256 such ranges.
# They were given in the order in which the nodes came, and `node-9` had one too.

# %% id="create"
# %kubectl create deployment web --image=nginx --replicas=6 --port=80

# %% id="expose"
# %kubectl expose deployment web

# %% id="pods"
cluster.run_until_idle()
# %kubectl get pods -o custom-columns=NAME:.metadata.name,ADDRESS:.status.podIP,NODE:.spec.nodeName

# %% [markdown] id="cidr-pods"
# The address tells the node.

# %% [markdown] id="cordon"
# ## Out of use
#
# You want to repair `node-2`, and no new Pod shall start there.

# %% id="cordon-do"
# %kubectl cordon node-2

# %% id="cordon-nodes"
# %kubectl get nodes

# %% id="cordon-scale"
# %kubectl scale deployment web --replicas=8

# %% id="cordon-pods"
cluster.run_until_idle()
# %kubectl get pods -o custom-columns=NODE:.spec.nodeName --sort-by=.spec.nodeName --no-headers

# %% [markdown] id="cordon-read"
# The Pods on `node-2` have stayed, and none has come.
# `SchedulingDisabled` is no condition of the machine: it is `spec.unschedulable`, your wish.
# The node lifecycle controller says it in the scheduler's language as well, as a *taint*:

# %% id="cordon-taints"
# %kubectl get node node-2 -o jsonpath={.spec.taints}

# %% [markdown] id="taints"
# A taint keeps Pods off a node, except those that *tolerate* it.
# One with the effect `NoSchedule` keeps new Pods away.
# One with the effect `NoExecute` drives out those that are there.
# Keep both in mind: the rest of this chapter is about them.

# %% [markdown] id="drain"
# ### Empty it
#
# The Pods that are on `node-2` still run.
# Before you switch the machine off, they should move.
# Not all at once, though: say how many have to be there at any time.
# That is a *PodDisruptionBudget*.
# We do it in a fork, so that our own cluster keeps its Pods where they are.

# %% id="drain-do"
with cluster.fork() as other:
    print(other.kubectl("create poddisruptionbudget web --selector=app=web --min-available=7"))
    drained = other.kubectl("drain node-2")
    print(drained.stdout.count(" evicted"), "Pods were evicted")
    print("one was refused at first:", "violate the pod's disruption budget" in drained.stderr)
    left = other.kubectl("get pods --no-headers --field-selector spec.nodeName=node-2").stdout
    print("Pods on node-2:", left.count("web-"))

# %% [markdown] id="drain-read"
# `drain` cordons the node, and then asks the API server to *evict* each Pod.
# The first eviction was granted: seven of eight were left.
# The second one was refused, for the new Pod was not ready yet: `Cannot evict pod as it would violate the pod's disruption budget.`
# So `drain` asked again five seconds later, and then it was.
#
# An evicted Pod does not move.
# It is deleted, and its ReplicaSet makes another one, which finds its node as any new Pod does.

# %% [markdown] id="drain-back"
# The machine is repaired. Back into use:

# %% id="uncordon"
# %kubectl uncordon node-2

# %% id="uncordon-wait"
cluster.run_for("60s")
# %kubectl get nodes

# %% [markdown] id="heartbeats"
# ## Heartbeats
#
# How does the cluster know that a node lives?
# Each kubelet renews a small object every ten seconds, its *lease*:

# %% id="leases"
# %kubectl get leases -n kube-node-lease -o custom-columns=NODE:.metadata.name,HOLDS-FOR:.spec.leaseDurationSeconds,RENEWED:.spec.renewTime

# %% [markdown] id="heartbeats-read"
# A Node's status is much larger, and is written only when it changes, or every five minutes.
#
# Somebody who is dead does not say so.
# So no watch can tell that a node is lost: somebody has to look at the clock.
# The node lifecycle controller does, every five seconds, and this is its rule: **no new sign for 50 seconds, and the node is lost.**
# (Older texts say 40. It was changed in Kubernetes 1.32.)

# %% [markdown] id="lost"
# ## A node is lost
#
# We switch a machine off.
# Before you go on, guess: when is the node `NotReady`? When do its Pods come back elsewhere?

# %% id="lose"
switched_off = cluster.now
lost = cluster.fault("node-lost", node="node-1").start()


def seconds():
    return f"{cluster.now - switched_off:.0f} s after the machine was switched off"


cluster.run_for("35s")
print(seconds())
print(cluster.kubectl("get nodes"))
print(cluster.kubectl("get deployment web"))

# %% [markdown] id="lost-35"
# Everything looks fine, and what ran on `node-1` is dead.
# The Service still counts on it: whoever is sent there gets no answer.

# %% id="lost-55"
cluster.run_for("20s")
print(seconds())
print(cluster.kubectl("get nodes"))
print(cluster.kubectl("get deployment web"))

# %% [markdown] id="lost-55-read"
# `NotReady`, and fewer Pods are ready.
# When was that? 50 seconds after the last sign, which was up to ten seconds old when the machine went off; and the look that finds it out may come five seconds late.
# So between 40 and 55 seconds after the machine.
#
# The controller has written that nobody knows how the node is:

# %% id="lost-conditions"
conditions("node-1")

# %% [markdown] id="lost-pods"
# And it has marked the node's Pods as not ready, so that Services leave them out.
# The Pods themselves are where they were, with the status that their kubelet wrote last:

# %% id="lost-pods-list"
# %kubectl get pods -o custom-columns=NAME:.metadata.name,PHASE:.status.phase,NODE:.spec.nodeName --field-selector spec.nodeName=node-1

# %% id="lost-endpoints"
slices = cluster.kubectl("get endpointslices -o json").json()["items"]
for endpoint in slices[0]["endpoints"]:
    print(endpoint["nodeName"], endpoint["addresses"][0], "ready" if endpoint["conditions"]["ready"] else "not ready")

# %% [markdown] id="lost-taints"
# Now the taints.
# `NoSchedule` is there at once, `NoExecute` with the next look, five seconds later:

# %% id="lost-taints-list"
cluster.run_for("5s")
for taint in cluster.kubectl("get node node-1 -o json").json()["spec"]["taints"]:
    print(taint["timeAdded"], taint["key"], taint["effect"])

# %% [markdown] id="tolerance"
# `NoExecute` drives Pods out.
# Why are they still there?
# Because each of them tolerates this taint, for a while.
# You have not asked for that: admission writes it into every Pod.

# %% id="tolerations"
pod = cluster.kubectl("get pods -o name --field-selector spec.nodeName=node-1").stdout.split()[0]
for toleration in cluster.kubectl(f"get {pod} -o json").json()["spec"]["tolerations"]:
    print(toleration["key"], toleration["effect"], toleration["tolerationSeconds"], "s")

# %% [markdown] id="tolerance-read"
# That is the whole secret of the famous five minutes.
# They are no setting of the cluster: a Pod may ask for less, or for more.

# %% id="five-minutes"
cluster.run_for("5m")
print(seconds())
print(cluster.kubectl("get pods"))

# %% [markdown] id="five-minutes-read"
# The Pods of `node-1` are `Terminating`, and for each of them there is a new one, which runs elsewhere.
#
# Why `Terminating`, and not gone?
# A Pod is gone when its kubelet says that its containers have ended, and that kubelet is silent.
# The cluster cannot know whether the machine is off, or only cut off, with the containers still running.
# So it waits.

# %% [markdown] id="timeline"
# ### The same as pictures
#
# The whole chain, from the last lease of `node-1` to the new Pods:

# %% id="timeline-cluster"
cluster.pictures.timeline(start=switched_off - began - 10)

# %% [markdown] id="timeline-node-intro"
# The node, and what was known of it:

# %% id="timeline-node"
cluster.pictures.timeline("node/node-1", start=switched_off - began - 10)

# %% [markdown] id="timeline-pod-intro"
# One of its Pods:

# %% id="timeline-pod"
cluster.pictures.timeline(pod, start=switched_off - began - 10)

# %% [markdown] id="why-intro"
# And why is it being deleted?
# Read it from below: the evicting controller saw a taint, and the taint came of nothing but time.

# %% id="why-deleted"
cluster.why(pod, field="metadata.deletionTimestamp")

# %% [markdown] id="states-intro"
# The states of a node, as the control plane sees it:

# %% id="states"
cluster.pictures.states("node", "node/node-1")

# %% [markdown] id="back"
# ## It comes back
#
# The machine is switched on again.
# What becomes of the Pods that were to go?

# %% id="back-do"
lost.stop()
cluster.run_for("15s")
print(cluster.kubectl("get nodes"))
print(cluster.kubectl("get pods -o wide"))

# %% [markdown] id="back-read"
# The kubelet has listed its Pods: they are to be deleted, and nothing of them runs.
# It said so, and they are gone.
# The taints went when the node was heard again.
# The new Pods stay where they are: nobody moves Pods because a node has become free.

# %% [markdown] id="back-in-time"
# A node that is away for less than five minutes keeps its Pods.
# This time the machine runs on, and only its network is cut:

# %% id="partition"
before = cluster.kubectl("get pods -o name").stdout
with cluster.fault("node-partitioned", node="node-2"):
    cluster.run_for("2m")
    print(cluster.kubectl("get nodes"))
cluster.run_for("15s")
print("the same Pods:", cluster.kubectl("get pods -o name").stdout == before)
# %kubectl get events --field-selector reason=TaintManagerEviction -o custom-columns=AT:.lastTimestamp,WHAT:.message

# %% [markdown] id="deleted"
# ## A Node object is deleted
#
# Deleting a Node switches nothing off.
# It says: this machine is no longer one of ours.

# %% id="delete-node"
# %kubectl delete node node-3

# %% id="delete-wait"
cluster.run_for("60s")
print(cluster.kubectl("get nodes"))
print(cluster.kubectl("get pods -o wide"))

# %% [markdown] id="delete-read"
# The Pods of `node-3` are not `Terminating`: they are gone.
# Without a Node nobody will ever report about them.
# So after 40 seconds *Pod GC* removes them by force, and the kubelet, which still runs, stops their containers.
#
# That kubelet does not register again by itself: it thinks that it has done so.
# It does when it is started anew.

# %% id="register-again"
cluster.fault("restart", component="kubelet-node-3").start()
cluster.run_for("10s")
# %kubectl get nodes -o custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR

# %% [markdown] id="register-read"
# It is a new node, with a new range.
# The old one waits until all others have had their turn: so a late packet for a Pod that has gone reaches nobody, rather than a stranger.

# %% id="close"
cluster.close()

# %% [markdown] id="many"
# ## When many are lost
#
# One silent node is probably dead.
# If most of them fall silent at the same time, what is the likely reason?
# The network, or the controller's own line.
# To evict everything then would make a small trouble a big one.
#
# So the controller looks at a node's neighbours, in its *zone*, before it drives Pods out:
#
# | the zone is | when | nodes that get `NoExecute` |
# |---|---|---|
# | `Normal` | otherwise | one each 10 s |
# | `PartialDisruption` | more than two nodes, and at least 55 % of them, are not ready | one each 100 s; in a zone of 50 nodes or less: none |
# | `FullDisruption` | no node is ready | one each 10 s |
# | all zones `FullDisruption` | | none; and taints that are there are taken back |
#
# Which zone a node is in is said by its label `topology.kubernetes.io/zone`.
# Nodes without the label are in one zone.


# %% id="many-function"
def lose(nodes, these, minutes=3):
    """Lose some nodes of a new cluster, and show the zones, and when which taint was set (minutes and seconds)."""
    with Cluster(nodes=nodes, seed=7) as cluster:
        for name in cluster.nodes:
            cluster.kubectl(f"label node {name} topology.kubernetes.io/zone={name[0]}")
        cluster.run_for("30s")
        for name in these:
            cluster.fault("node-lost", node=name).start()
        cluster.run_for(f"{minutes}m")
        controller = cluster.engine.loop.component("node-lifecycle-controller")
        print({name.strip(":"): zone.state for name, zone in sorted(controller.zones.items()) if name})
        for node in cluster.kubectl("get nodes -o json").json()["items"]:
            taints = {taint["effect"]: taint["timeAdded"][14:19] for taint in node["spec"].get("taints", [])}
            print(node["metadata"]["name"], taints)


# %% [markdown] id="two"
# Two of five:

# %% id="two-of-five"
lose(["a1", "a2", "a3", "a4", "a5"], ["a1", "a2"])

# %% [markdown] id="two-read"
# Both were found lost in the same look.
# The second had to wait ten seconds for its `NoExecute`.
#
# Three of five:

# %% id="three-of-five"
lose(["a1", "a2", "a3", "a4", "a5"], ["a1", "a2", "a3"])

# %% [markdown] id="three-read"
# No `NoExecute`, so nobody is evicted, however long it lasts.
# New Pods still go elsewhere.
#
# The same three, in two zones:

# %% id="two-zones"
lose(["a1", "a2", "a3", "b1", "b2"], ["a1", "a2", "a3"])

# %% [markdown] id="zones-read"
# Zone `a` is lost as a whole, and zone `b` is well: so it is not our line, and zone `a` is emptied.
#
# All of them:

# %% id="all"
lose(["a1", "a2", "a3", "b1", "b2"], ["a1", "a2", "a3", "b1", "b2"])

# %% [markdown] id="all-read"
# Nothing is evicted, and where should the Pods go?
# This is also why you cannot see the five minutes on a cluster of one node.

# %% [markdown] id="code"
# ## How the code does it
#
# A sign of life is a sign that has *changed*.
# Its time is the controller's own: what time the kubelet wrote does not matter, so a wrong clock on a node harms nobody.

# %% id="show-health"
from k8slab.controllers.node_health import Health
from k8slab.lab import show

show(Health)

# %% id="show-lost"
from k8slab.controllers.node_health import is_lost

show(is_lost)

# %% [markdown] id="code-look"
# Every five seconds it looks at all nodes, and only decides.
# What follows for a node is put into a queue:

# %% id="show-look"
from k8slab.controllers.node_lifecycle import NodeLifecycleController

show(NodeLifecycleController._look_around)

# %% [markdown] id="code-reconcile"
# And is written here:

# %% id="show-reconcile"
show(NodeLifecycleController.reconcile)

# %% [markdown] id="code-zones"
# The table of zones:

# %% id="show-zones"
from k8slab.controllers.node_zones import eviction_rate, zone_state

show(zone_state)

# %% id="show-rate"
show(eviction_rate)

# %% [markdown] id="code-tolerance"
# How long a Pod may stay on a tainted node:

# %% id="show-tolerance"
from k8slab.controllers.tolerance import tolerance

show(tolerance)

# %% [markdown] id="code-cidr"
# And the next free range:

# %% id="show-cidr"
from k8slab.controllers.cidr_set import next_free

show(next_free)

# %% [markdown] id="exercise"
# ## Exercises
#
# - [A range for every node](../exercises/07_nodes/pod_cidr.ipynb): write the allocation of podCIDRs, and put it into a cluster. About 20 minutes.
# - [Who is lost, and how fast to act](../exercises/07_nodes/node_health.ipynb): write the rules of zones and rates, and let a cluster live by them. About 20 minutes.
# - [Evicted, and when?](../exercises/07_nodes/evicted_when.ipynb): predict six cases. About 15 minutes.
#
# ## What real Kubernetes does besides
#
# - A kubelet proves who it is before it may register, by a certificate: chapter 08.
# - In a cloud, the cloud controller manager gives a node its addresses and its zone, and deletes the Node object when the machine is deleted in the cloud: chapter 11.
# - Pods of a DaemonSet tolerate both taints forever: they belong to their node.
# - Who knows that a machine is off, and not only cut off, may say so by the taint `node.kubernetes.io/out-of-service`. Then Pod GC removes its Pods at once, and their volumes can be used elsewhere.
# - A node that is shut down in an orderly way can end its Pods first: graceful node shutdown.
# - Many clusters do not use `spec.podCIDR`: their network gives addresses in its own way.
#
# ## Where to read on
#
# - [Nodes](https://kubernetes.io/docs/concepts/architecture/nodes/)
# - [Node status](https://kubernetes.io/docs/reference/node/node-status/)
# - [Taints and tolerations](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/), with taint-based eviction
# - [Leases](https://kubernetes.io/docs/concepts/architecture/leases/)
# - [Safely drain a node](https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/), and [disruptions](https://kubernetes.io/docs/concepts/workloads/pods/disruptions/)
# - [Node shutdowns](https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/)
