# %% [markdown] id="title"
# # 09 · Controllers
#
# After this chapter you can
#
# - say what a control loop is, and write one,
# - tell a level-triggered controller from an edge-triggered one, and say what the difference costs,
# - explain why a controller has a queue, and what is in it,
# - say what a stale cache does to a controller, and how expectations help,
# - say what it means that a controller acts directly on the outside world.
#
# It follows the page [Controllers](https://kubernetes.io/docs/concepts/architecture/controller/).
# You need chapter 06.

# %% [markdown] id="loop"
# ## A loop
#
# A thermostat has a wish: 20 degrees.
# It looks at the room, compares, and heats or does not.
# Then it looks again.
#
# A controller does the same with the objects of a cluster.
# The wish is in an object's `spec`, and what is in its `status`.
# Here are all those of this cluster:

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=2, seed=9)
print("\n".join(name for name in cluster.components if name.endswith("-controller")))

# %% [markdown] id="one-thing"
# Each looks after one kind of thing.
# Simple ones that do not know each other are easier to get right than a large one that does everything, and one of them may fail while the others go on.
#
# Let us watch one of them work.

# %% id="create"
# %kubectl create deployment web --image=registry.k8s.io/e2e-test-images/agnhost:2.53 --replicas=3 -- /agnhost netexec --http-port=8080

# %% id="settle"
cluster.run_until_idle()
[replicaset] = cluster.kubectl("get replicasets -o name").stdout.split()
name = replicaset.partition("/")[2]
# %kubectl get replicasets

# %% id="reconciliation"
cluster.pictures.reconciliation(f"replicaset/{name}")

# %% [markdown] id="reconciliation-read"
# Each turn is a *reconcile*: what should be is compared with what is, and the next thing is done.
# Most turns find nothing to do but to write down a number.
# Nobody has told this controller "make three Pods".
# It found that there should be three, and that there were none.

# %% [markdown] id="level"
# ## Level, and edge
#
# There are two ways to write such a thing.
# One acts on *events*: a Pod was deleted, so make one.
# The other looks at *how things are*: there are two, there should be three, so make one.
# The first is called edge-triggered, the second level-triggered, after the two ways in which a circuit may look at a signal.
#
# They seem to be the same.
# Here is the first one, put into a cluster in the place of Kubernetes' own ReplicaSet controller.

# %% id="edge-class"
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.client.controller import Controller
from k8slab.controllers.pod_control import pod_from_template


class EdgeTriggered(Controller):
    name = "replicaset-controller"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.sets = self.informer(ReplicaSet, on_change=self.set_changed)
        self.pods = self.informer(Pod, on_change=self.pod_changed)

    def set_changed(self, old, new):
        if old is None:  # it is new: make its Pods
            for _ in range(new.spec.replicas):
                self.make_pod(new)

    def pod_changed(self, old, new):
        if new is None and old.metadata.controller:  # it is gone: make another one
            rs = self.sets.get(f"{old.namespace}/{old.metadata.controller.name}")
            if rs is not None:
                self.make_pod(rs)

    def make_pod(self, rs):
        self.client.create(Pod, pod_from_template(rs, rs.spec.template), rs.namespace)

    def reconcile(self, key):
        return None


# %% id="edge-works"
edge = Cluster(nodes=2, seed=9, replace={"replicaset": EdgeTriggered})
edge.kubectl("create deployment web --image=nginx --replicas=3")
edge.run_until_idle()
edge.kubectl("delete pod " + edge.kubectl("get pods -o name").stdout.split()[0].removeprefix("pod/"))
edge.run_for("60s")
edge.kubectl("get pods")

# %% [markdown] id="edge-works-read"
# It works: one was deleted, one was made.
# Now let the controller be away for a moment, as happens when its program is updated.
# Somebody deletes a Pod just then.

# %% id="edge-away"
edge.crash("replicaset-controller")
edge.kubectl("delete pod " + edge.kubectl("get pods -o name").stdout.split()[0].removeprefix("pod/"))
edge.run_for("60s")
edge.start("replicaset-controller")
edge.run_for("60s")
edge.kubectl("get pods")

# %% [markdown] id="edge-away-read"
# What do you see?
# Five Pods, and there should be three.
# When it came back it listed what there is, took the ReplicaSet for a new one, and made three more.
# And the Pod that was deleted while it was away it will never miss: that event is past.

# %% id="edge-close"
edge.close()

# %% [markdown] id="level-away-intro"
# The same with the controller that is level-triggered:

# %% id="level-away"
cluster.crash("replicaset-controller")
cluster.kubectl("delete pod " + cluster.kubectl("get pods -o name").stdout.split()[0].removeprefix("pod/"))
cluster.run_for("60s")
cluster.start("replicaset-controller")
cluster.run_for("60s")
# %kubectl get pods

# %% [markdown] id="level-away-read"
# Three.
# It need not know what has happened.
# It looks, and there are two.
#
# That is why `reconcile` is given a *name*, and never an event: it could not act on one if it wanted to.

# %% [markdown] id="queue"
# ## The queue
#
# Between the watch and the work there is a queue, with keys such as `default/web`.
# Many events about one object make one key.
# How much work does that save?
# The ReplicaSet controller while twenty Pods come up:

# %% id="queue-count"
cluster.kubectl("scale deployment web --replicas=20")
began = cluster.now
cluster.run_until_idle()


def count(kind, component):
    return sum(1 for record in cluster.records(kind=kind, component=component) if record.time >= began)


print(count("delivery", "replicaset-controller"), "events")
print(count("work", "replicaset-controller"), "reconciles")

# %% [markdown] id="queue-read"
# Four rules make the queue what it is:
#
# - A key is in it at most once, however often it was added.
# - A key that is being worked on is not given to a second worker.
# - If something changes during the work, the key comes back afterwards.
# - A key that failed comes back later and later: after 5 ms, 10 ms, 20 ms, up to 1,000 s.

# %% [markdown] id="write"
# ## Write one
#
# A wish of your own: each namespace with a label `team` has a ConfigMap `team-info` which says whose it is.
# If somebody changes the label, the ConfigMap follows.
# If somebody deletes the ConfigMap, it comes back.

# %% id="write-class"
from k8slab.api.core import ConfigMap, Namespace


class TeamInfo(Controller):
    name = "team-info-controller"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.namespaces = self.informer(Namespace, on_change=lambda old, new: self.queue.add((new or old).name))
        self.infos = self.informer(ConfigMap, on_change=lambda old, new: self.queue.add((new or old).namespace))

    def reconcile(self, name):
        namespace = self.namespaces.get(name)
        if namespace is None or namespace.metadata.deleting:
            return
        team = namespace.metadata.labels.get("team")
        info = self.infos.get(f"{name}/team-info")
        if team and info is None:
            self.client.create(ConfigMap, {"metadata": {"name": "team-info"}, "data": {"team": team}}, name)
        elif team and info.data.get("team") != team:
            self.client.patch(ConfigMap, "team-info", name, {"data": {"team": team}})
        elif not team and info is not None:
            self.client.delete(ConfigMap, "team-info", name)


# %% [markdown] id="write-read"
# Read `reconcile` once more: it has no memory.
# Each time it asks three questions: is there a namespace, is there a team, is there a ConfigMap?
# And it does one thing at most.

# %% id="write-start"
cluster.close()
cluster = Cluster(nodes=1, seed=9, add={"team-info": TeamInfo})
# %kubectl create namespace shop

# %% id="write-label"
# %kubectl label namespace shop team=blue

# %% id="write-look"
cluster.run_until_idle()
# %kubectl get configmap team-info -n shop -o jsonpath={.data.team}

# %% id="write-why"
cluster.why("configmap/team-info", namespace="shop")

# %% [markdown] id="write-why-read"
# Your command is at one end, and your controller at the other.
# Now the wish changes, and somebody deletes what your controller has made.

# %% id="write-change"
cluster.kubectl("label namespace shop team=green --overwrite")
cluster.kubectl("delete configmap team-info -n shop")
cluster.run_until_idle()
# %kubectl get configmap team-info -n shop -o jsonpath={.data.team}

# %% [markdown] id="write-back"
# It came back, with the new team.
# You have not written a line for the case "deleted": there is no such case.

# %% [markdown] id="stale"
# ## A stale cache
#
# A controller does not ask the API server how things are.
# It looks into its cache, which its watch keeps up to date.
# So it knows the past: mostly a few milliseconds old, sometimes more.
#
# What does a controller do that does not think of this?
# This one is level-triggered, as it should be.

# %% id="naive"
from k8slab.lab.checks import manage_replicas as lab


def naive(key, wanted, pods, expectations, api):
    for _ in range(wanted - len(pods)):
        api.create_pod()
    for pod in pods[wanted:]:
        api.delete_pod(pod)


# %% id="naive-fast"
with lab.practice(naive, replicas=3) as fast:
    print(fast.kubectl("get replicasets"))

# %% [markdown] id="naive-slow-intro"
# Three of three.
# Now its watch is up to eight seconds late.

# %% id="naive-slow"
with lab.practice(naive, replicas=3, slow=8) as slow:
    made = deleted = 0
    for entry in slow.store.entries():
        if "/pods/" in entry.key:
            made += entry.version == 1
            deleted += entry.deleted
    print(made, "Pods were made,", deleted, "were deleted; now:")
    print(slow.kubectl("get pods"))

# %% [markdown] id="naive-read"
# It made three Pods, did not see all of them yet, and made more.
# When it saw too many it deleted some, did not see that yet, and deleted more.
# In the end it may settle, but on the way it has done harm, and it may have deleted the Pods that served your users.

# %% [markdown] id="expectations"
# ## Expectations
#
# Kubernetes' controller writes down what it has done and not yet seen.
# Until it has seen it, it does nothing about that object.

# %% id="expectations-run"
cluster.close()
cluster = Cluster(nodes=2, seed=9)
late = cluster.fault("slow-watch", component="replicaset-controller", delay=8, repeat=0, lose=0)
late.start()
# %kubectl create deployment web --image=nginx --replicas=3

# %% id="expectations-settle"
cluster.run_for("60s")
made = [entry for entry in cluster.store.entries() if "/pods/" in entry.key and entry.version == 1]
print(len(made), "Pods were made")

# %% id="expectations-picture"
cluster.pictures.reconciliation("replicaset/" + cluster.kubectl("get replicasets -o name").stdout.split("/")[1].strip())

# %% [markdown] id="expectations-read"
# Three, though it was as blind as the other one.
# Look for a turn in which it observed too few Pods and created none: it knew that they were still to come.
# If what it expects is never seen (the watch has lost it), it waits for five minutes and then trusts its cache again.
#
# The first exercise is to write that.

# %% id="expectations-stop"
late.stop()
cluster.run_for("30s")

# %% [markdown] id="outside"
# ## On the outside world
#
# The controllers so far change objects, by the API server, and others carry the change on.
# Some controllers have something outside of the cluster to look after: machines, disks, load balancers.
# They read their wish from the API server as well, and then act directly.
#
# Here is an outside world with one kind of thing in it, and a controller for it.

# %% id="outside-class"
from k8slab.api.discovery import Service

balancers = {}  # the outside world: it knows nothing of Kubernetes


class LoadBalancers(Controller):
    name = "load-balancer-controller"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.services = self.informer(Service, on_change=lambda old, new: self.queue.add((new or old).key))

    def reconcile(self, key):
        service = self.services.get(key)
        wanted = service is not None and service.spec.type == "LoadBalancer"
        if wanted and key not in balancers:
            balancers[key] = f"203.0.113.{len(balancers) + 1}"  # this takes a minute, where it is real
        if not wanted:
            balancers.pop(key, None)
            return
        status = {"loadBalancer": {"ingress": [{"ip": balancers[key]}]}}
        self.client.patch_status(Service, service.name, service.namespace, status)


# %% id="outside-run"
cluster.close()
cluster = Cluster(nodes=1, seed=9, add={"load-balancer": LoadBalancers})
# %kubectl create service loadbalancer web --tcp=80:8080

# %% id="outside-look"
cluster.run_until_idle()
# %kubectl get services web

# %% id="outside-break"
balancers.clear()  # somebody has deleted it outside
cluster.kubectl("annotate service web looked=again")
cluster.run_until_idle()
balancers

# %% [markdown] id="outside-read"
# It is the same loop: look, compare, act.
# Two things are different.
#
# - Nobody tells a controller what happens outside: there is no watch of a cloud. So such controllers look again from time to time. Ours did only because you touched the Service.
# - If the Service is deleted while the controller is off, the load balancer stays, and costs money. A *finalizer* prevents that: chapter 13.

# %% [markdown] id="code"
# ## How the code does it
#
# The loop, the same for every controller:

# %% id="show-step"
from k8slab.lab import show

show(Controller.step)

# %% [markdown] id="code-queue"
# The queue. Two sets and a list are all that the four rules need:

# %% id="show-add"
from k8slab.client.workqueue import WorkQueue

show(WorkQueue._add)

# %% id="show-get"
show(WorkQueue.get)

# %% id="show-done"
show(WorkQueue.done)

# %% [markdown] id="code-expectations"
# Expectations:

# %% id="show-expectations"
from k8slab.client.expectations import Expectations

show(Expectations)

# %% [markdown] id="code-replicaset"
# And the ReplicaSet controller, which brings it all together:

# %% id="show-reconcile"
from k8slab.controllers.replicaset import ReplicaSetController

show(ReplicaSetController.reconcile)

# %% id="show-create"
from k8slab.controllers.pod_control import PodControl

show(PodControl.create)

# %% [markdown] id="code-ranking"
# Which Pods go first when there are too many is a pure function of its own:

# %% id="show-ranking"
from k8slab.controllers.pod_ranking import rank_for_deletion

show(rank_for_deletion)

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercises
#
# - [As many as there should be](../exercises/09_controllers/manage_replicas.ipynb): the heart of a ReplicaSet controller, under a slow watch. About 30 minutes.
# - [Which Pod goes first?](../exercises/09_controllers/deletion_order.ipynb): the order of deletion. About 20 minutes.
# - [The queue](../exercises/09_controllers/work_queue.ipynb): the queue of keys, used by two controllers of a real cluster. About 20 minutes.
#
# ## What real Kubernetes does besides
#
# - All controllers of Kubernetes run in one program, `kube-controller-manager`, and share one cache for each kind. Several of these programs stand by, and one works: chapter 10.
# - Each controller has several workers, which work on different keys at the same time. That is why the queue takes care that no two have the same one.
# - Since 1.36 some controllers have another guard besides expectations: they remember the resourceVersion of what they wrote last, and wait until their cache has reached it.
# - You can write controllers of your own: they run in Pods, or anywhere else, and talk to the API server like all others. Together with a kind of their own they are called *operators*.
#
# ## Read on
#
# - [Controllers](https://kubernetes.io/docs/concepts/architecture/controller/), the documentation's page
# - [Operator pattern](https://kubernetes.io/docs/concepts/extend-kubernetes/operator/)
# - `k8slab/client/controller.py`, `k8slab/client/workqueue.py` and `k8slab/controllers/replicaset.py`, which you can read in one sitting
