# %% [markdown] id="title"
# # 10 · Leases
#
# After this chapter you can
#
# - say what a Lease holds, who writes it, and how often,
# - tell what happens when a heartbeat is late, and who notices,
# - read an election on a timeline: crash, hand-over, a lease that is given back,
# - explain why no candidate trusts another one's clock, and when two of them believe that they lead all the same.
#
# It follows the page [Leases](https://kubernetes.io/docs/concepts/architecture/leases/).
# You need chapters 02 and 06, and neither Docker nor a network.

# %% [markdown] id="a-lease"
# ## A claim that runs out
#
# Some claims must not last for ever by mistake.
# "I am alive" is one: who is dead cannot take it back.
# "I am the one who works on this" is another one.
# So such a claim is made for a few seconds, and renewed as long as it is true.
# In Kubernetes it is an object, a *Lease*.
#
# This cluster has three controller managers instead of one.
# That is how larger clusters run, and it is what this chapter is about.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=2, seed=10, candidates={"kube-controller-manager": 3})
cluster.run_for("1m")

# %% id="get-leases"
# %kubectl get leases -n kube-node-lease

# %% id="leases-system"
# %kubectl get leases -n kube-system

# %% [markdown] id="two-uses"
# Two sorts of claims:
#
# - in `kube-node-lease`, one for each node. Its kubelet says: this node is alive.
# - in `kube-system`, one for the controller managers. One of them says: it is I who works.
#
# This is all that a Lease holds:

# %% id="lease-yaml"
# %kubectl get lease kube-controller-manager -n kube-system -o yaml

# %% [markdown] id="fields"
# | field | what it says |
# |---|---|
# | `holderIdentity` | who has it. Two processes never have the same name: the last part is drawn anew at each start |
# | `leaseDurationSeconds` | for how long it holds, unless it is renewed |
# | `acquireTime` | since when this holder has had it |
# | `renewTime` | when it was renewed last, to the microsecond, by the holder's clock |
# | `leaseTransitions` | how often it went from one to another |
#
# There is no `status`, and no controller works on it.
# Nobody ends a Lease that has run out, either: the object stays, as it was written last.
# Whoever reads it has to judge.

# %% [markdown] id="heartbeats"
# ## Heartbeats
#
# Who writes the Lease of `node-1`, and how often?

# %% id="renewals"
from itertools import pairwise

cluster.run_for("1m")
written = [each for each in cluster.records(kind="commit") if each.what == "leases/kube-node-lease/node-1"]
for before, this in pairwise(written):
    print(f"{this.component}  {this.verb}  {this.time - before.time:.1f}s after the one before")

# %% [markdown] id="renewals-read"
# Its kubelet, every ten seconds: a quarter of the 40 seconds that the Lease holds.
# So three renewals in a row may fail, and the Lease is still good.
# They are a little late on purpose, by chance: else all nodes that were started together would write at the same moment for ever.
#
# What does one renewal change?

# %% id="renewal-diff"
print(cluster.diff("+100s", "+115s", kind="lease", name="node-1", ignore=("managedFields", "resourceVersion")))

# %% [markdown] id="why-a-lease"
# One field.
# A kubelet also reports its node's `status`, with addresses, images and conditions.
# That object is several times as large, and grows with every image on the node.
# So it is written only when something has changed, or every five minutes.
# Before there were node Leases, every node wrote all of it every ten seconds.

# %% id="sizes"
import json

for what in ("lease/node-1 -n kube-node-lease", "node/node-1"):
    found = cluster.kubectl(f"get {what} -o json").json()
    print(f"{len(json.dumps(found, separators=(',', ':'))):5} bytes  {what.split()[0]}")

# %% [markdown] id="late"
# ### Late
#
# What if a heartbeat is late?
# Cut `node-1` off from the API server for half a minute, in a fork, so that our own cluster knows nothing of it.

# %% id="late-half"
with cluster.fork() as other:
    with other.fault("node-partitioned", node="node-1"):
        other.run_for("30s")
    other.run_for("30s")
    print(other.kubectl("get nodes"))

# %% [markdown] id="late-half-read"
# Nothing.
# Two or three heartbeats were missing, and that is what the margin is for.
# Now for longer:

# %% id="late-longer"
with cluster.fork() as other:
    other.fault("node-partitioned", node="node-1").start()
    for _ in range(6):
        other.run_for("10s")
        print(f"{other.now - cluster.now:3.0f}s", other.kubectl("get node node-1 --no-headers").stdout.split()[1])
    print(other.kubectl("get events -n default --field-selector reason=NodeNotReady"))
    ready = next(
        each
        for each in other.kubectl("get node node-1 -o json").json()["status"]["conditions"]
        if each["type"] == "Ready"
    )
    print(ready["status"], ready["reason"], ready["message"], sep=" | ")
    who = other.why("node/node-1", field="status.conditions").links[-1].who
    print("written by", who)

# %% [markdown] id="late-longer-read"
# After about fifty seconds somebody has written `Unknown` into the node: the node lifecycle controller.
# (It runs inside of the controller manager that leads: hence its long name.)
#
# Look at how it knows.
# It looks at all Leases every five seconds.
# Whenever a `renewTime` is another one than at the last look, it notes the time *by its own clock*.
# When 50 of its own seconds have passed since then, the node is `Unknown`.
# Neither the 40 seconds in the Lease nor the time in `renewTime` is part of that.
# So a node whose clock is wrong by an hour is as well as any other:

# %% id="late-skew"
with cluster.fork() as other:
    other.fault("clock-skew", component="kubelet-node-1", ahead="-1h").start()
    other.run_for("5m")
    print(other.kubectl("get nodes"))
    print(other.kubectl("get lease node-1 -n kube-node-lease -o jsonpath={.spec.renewTime}"))

# %% [markdown] id="remember"
# The heartbeat tells *that* the node lives.
# *When* it did so is judged by whoever listens.
# Remember that: it comes again.
# Chapter 07 tells what becomes of the Pods of a node that is lost.

# %% [markdown] id="three"
# ## Three candidates, one leader
#
# A controller manager that has crashed does no harm for a while: chapter 06.
# But somebody has to start it again, and that may take long.
# So let two more stand by.
# They must not all work: three replicaset controllers that miss one Pod would make three.

# %% id="components"
print("\n".join(name for name in cluster.components if "manager" in name))

# %% [markdown] id="components-read"
# All three processes run.
# One of them *leads*, and only there the controllers have been started.
# The other two do nothing but ask for the Lease.


# %% id="leader"
def leader(cluster):
    """The process whose controllers run."""
    return next(name.split("/")[0] for name in cluster.components if name.endswith("/replicaset-controller"))


began = cluster.now
cluster.run_for("10s")
for record in cluster.records(kind="request", what="leases/kube-system", start=began + 0.1):
    print(f"{record.time - began:4.1f}s  {record.component}  {record.verb}")

# %% [markdown] id="requests-read"
# The leader writes every two seconds, and does not read first: it knows what it wrote last.
# The others read, every two to four and a half seconds.
# It is drawn by lot how long they wait, so that they do not all come at once.
#
# How does a candidate decide whether it may write?
# Here is the decision, as it runs in this cluster.
# `seen` is the record that it has just read, and `seen_at` is when it first saw it so.

# %% id="show-decision"
from k8slab.client.leader_election import next_record
from k8slab.lab import show

show(next_record)

# %% [markdown] id="decision-read"
# Four cases:
#
# 1. There is no Lease. Make one.
# 2. It is mine. Renew it.
# 3. It is another one's, and it has changed within its 15 seconds, as far as I have seen. Leave it alone.
# 4. Nobody holds it, or it has not changed for too long. Take it, and count one transition.
#
# If two decide so at the same moment, both write, and both writes carry the `resourceVersion` that was read.
# The API server takes the first one and refuses the second one: `409 Conflict`.
# That is all the "voting" that there is.

# %% [markdown] id="crash"
# ## The leader crashes
#
# Our cluster is 130 seconds old.
# The pictures that follow begin ten seconds before that, at the left, and show what a fork does.
# Here the leader crashes, and a Deployment is created half a second later, so that there is something to do.

# %% id="crash-run"
with cluster.fork() as other:
    crashed = leader(other)
    other.crash(crashed)
    other.run_for("0.5s")
    other.kubectl("create deployment web --image=nginx")
    other.run_for("12s")
    print(other.kubectl("get deployments,pods"))
    other.run_for("17.5s")
    print(other.kubectl("get deployments,pods"))
    print(other.kubectl("get events -n kube-system"))
    crash = other.pictures.elections(start="120s")

# %% id="crash-picture"
crash

# %% [markdown] id="crash-read"
# The first lane is the Lease, as it is stored.
# Below it, each candidate has a lane with what it *does*.
#
# Between the two leaders there is a gap, in which nobody works.
# How long is it?
# A candidate has to see the last renewal (it looks every 2 to 4.4 seconds), then to wait 15 seconds without seeing another one, and then to look once more.
# That makes 15 to 24 seconds.
# Meanwhile the Pods that run go on to run, but nothing new comes.
#
# Could it be shorter?
# With a lease of five seconds it would be.
# But then a leader has to be sure of three good answers in five seconds, or it loses for nothing.
#
# ### In good order
#
# If somebody ends the leader on purpose, for an upgrade, it can say goodbye: it stops its controllers, and then it writes an empty `holderIdentity`.

# %% id="stop-run"
with cluster.fork() as other:
    other.fault("stop", component=leader(other)).start()
    print(other.kubectl("get lease -n kube-system -o jsonpath={.items[0].spec}"))
    print()
    began = other.now
    other.run_until(lambda: any(name.endswith("/replicaset-controller") for name in other.components))
    print(f"after {other.now - began:.1f}s {leader(other)} leads")

# %% [markdown] id="stop-read"
# The next one to look takes it at once.
#
# ### Started again
#
# What if the leader crashes and is started again at once, before anybody has noticed?
# Is it the leader still?

# %% id="restart-run"
with cluster.fork() as other:
    other.fault("restart", component=leader(other)).start()
    print([name for name in other.components if name.endswith("/replicaset-controller")])
    other.run_for("30s")
    restart = other.pictures.elections(start="120s")

# %% id="restart-picture"
restart

# %% [markdown] id="restart-read"
# No.
# The new process has a new identity, and waits like everybody else, for a Lease that was its own.
# That is on purpose.
# Perhaps the old process is not gone at all: perhaps somebody has only started a second one.

# %% [markdown] id="cut"
# ## Twelve seconds, and fifteen
#
# Now the leader is well, but its line is cut.
# The others see a Lease that is not renewed.
# They cannot tell a dead leader from one that they do not hear of.
# In 15 seconds one of them will take the Lease.
# So the leader must have stopped by then, all by itself.

# %% id="cut-run"
with cluster.fork() as other:
    with other.fault("cut-off", component=leader(other)):
        other.run_for("30s")
    other.run_for("10s")
    cut = other.pictures.elections(start="120s")

# %% id="cut-picture"
cut

# %% [markdown] id="cut-read"
# It tries to renew for ten seconds, the *renew deadline*.
# The first of these tries comes two seconds after the last success.
# So it gives up twelve seconds after the last time that the Lease was good.
# It stops its controllers, which in real life means that the whole program ends.
#
# | | counted from | by whose clock |
# |---|---|---|
# | the leader gives up after 2 + 10 = **12 s** | its last renewal | its own |
# | another one may take the Lease after **15 s** | when it *saw* the last renewal, which is later | its own |
#
# Three seconds lie in between.
# Note what is not in this table: nobody compares a time with somebody else's clock.

# %% [markdown] id="clocks"
# ## Clocks
#
# So let the clocks of all but the leader be wrong by an hour.
# By their clocks the Lease has always been over for an hour.

# %% id="skew-run"
with cluster.fork() as other:
    first = leader(other)
    for name in ("kube-controller-manager-0", "kube-controller-manager-1", "kube-controller-manager-2"):
        if name != first:
            other.fault("clock-skew", component=name, ahead="1h").start()
    other.run_for("5m")
    print("the same leader:", leader(other) == first)
    print("transitions:", other.kubectl("get lease -n kube-system -o jsonpath={.items[0].spec.leaseTransitions}"))

# %% [markdown] id="skew-read"
# Nothing happens.
# A candidate that compared `renewTime` with its own clock would have taken the Lease at the first look.
# These only ask: has the record *changed*, and how long ago was that, by my clock?
#
# But one thing is taken for granted: that all clocks *run* equally fast.
# Let those of the waiting ones run ten times as fast.

# %% id="rate-run"
with cluster.fork() as other:
    first = leader(other)
    for name in ("kube-controller-manager-0", "kube-controller-manager-1", "kube-controller-manager-2"):
        if name != first:
            other.fault("clock-rate", component=name, rate=10).start()
    other.run_for("8s")
    print([name for name in other.components if name.endswith("/replicaset-controller")])
    other.run_for("22s")
    rate = other.pictures.elections(start="120s")

# %% id="rate-picture"
rate

# %% [markdown] id="rate-read"
# Two lead.
# Fifteen seconds of a fast clock are one and a half, and the leader renews every two.
# The old leader has done nothing wrong: it finds its Lease in another one's hands, and goes on until its twelve seconds are over.
#
# How unequal may clocks be?
# If the clock of a waiting one runs $c$ times as fast as time does, and the leader's $l$ times, then nobody can come too early while
#
# $$\frac{15}{c} \ge \frac{12}{l} \quad\text{that is}\quad \frac{c}{l} \le \frac{15}{12} = 1.25$$
#
# and else two may lead for $12/l - 15/c$ seconds at the most.
# Real clocks differ by a few seconds in a day.
# A quarter is very much, for a clock.
# But there is one thing that makes a clock stand still.

# %% [markdown] id="sleep"
# ## A leader that sleeps
#
# A laptop is closed.
# A virtual machine is moved to another host.
# A program cleans up its memory, and stands still for a while.
# For such a process no time passes.
# It cannot give up after twelve seconds, for it does not execute anything.
#
# Let the leader fall asleep in the middle of its work: a ReplicaSet wants three Pods, the controller has seen that, and it is about to create the first one.

# %% id="sleep-run"
replicaset = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: nginx}]}
"""
sleeper = leader(cluster)
sleep = cluster.fault("freeze", component=sleeper, before="write").start()
cluster.kubectl("create -f -", stdin=replicaset)
cluster.run_for("40s")
# %kubectl get pods

# %% [markdown] id="sleep-read"
# Another one has taken the Lease, and made three Pods.
# Everything is as it should be.
# And now the sleeper wakes up.

# %% id="wake"
before = cluster.store.revision
sleep.stop()
cluster.run_for("0s")


def who(change):
    if change.who == sleeper:
        return "the sleeper"
    return "the leader" if "manager" in change.who else change.who


for change in cluster.history():
    if change.revision > before and "events/" not in change.what:
        print(f"{who(change):16} {change.verb:7} {change.what}")

# %% [markdown] id="wake-read"
# It goes on where it was, with what it knew: three Pods are missing.
# It creates them.
# Then it looks at its clock, sees that its Lease is long over, and stops.
#
# There were six Pods for a moment.
# The leader saw three too many, and deleted three.

# %% id="sleep-picture"
cluster.pictures.elections(start="120s")

# %% id="after"
cluster.run_for("1m")
# %kubectl get pods

# %% [markdown] id="fencing"
# Could the API server not have refused those writes?
# It did not know that they had to do with a Lease: a request to create a Pod does not say "as the holder of this Lease, in its fifth term".
# If it did, and the server looked, that would be called *fencing*.
# Kubernetes has no fencing here, and the authors of client-go say so at the top of their source.
#
# Two other things keep the harm small:
#
# - Each *change* of an object can carry the `resourceVersion` that was read. A sleeper's is old, and refused: `409 Conflict`. Only what creates something new, or changes something blindly, gets through.
# - Controllers are *level-triggered*: whoever leads compares what is with what should be, and does not care who has made it so. What a sleeper does is one more disturbance.
#
# So a Lease makes it *unlikely* that two work, and the rest makes it *harmless*.
# If your own program cannot live with two for a moment, for instance because it sends payments, a Lease is not enough.

# %% [markdown] id="etcd"
# ## "Like competing for one lease id in etcd"?
#
# So many explain leader election, and it is not so.
# etcd has leases, too: a key that is bound to one goes when the lease is not kept alive, and etcd's clock decides.
# The API server uses them for Events, which are gone after an hour.
#
# A `Lease` of Kubernetes is an object like any other.
# etcd does not know that it means anything.
# Here is the key, and no etcd lease is bound to it:

# %% id="etcd-entry"
entry = cluster.store.get("/registry/leases/kube-system/kube-controller-manager")
print(entry.key, "| etcd lease:", entry.lease or "none", "| changed", entry.version, "times")

# %% [markdown] id="etcd-read"
# What competes are *writes*, each with the version that was read.
# Who decides that a Lease is over is each candidate for itself, by its own clock.
#
# ## How the code does it
#
# A candidate is a component like the others.
# Each time its moment has come, it makes one step:

# %% id="show-step"
from k8slab.client.leader_election import LeaderElector

show(LeaderElector.step)

# %% [markdown] id="code-try"
# The fast way writes without reading, as long as nobody else can have written.
# The slow way reads first, and notes whether the record has changed.

# %% id="show-try"
show(LeaderElector._try_acquire_or_renew)

# %% id="show-observe"
show(LeaderElector._observe)

# %% [markdown] id="code-observe"
# `_observe` is the whole secret: the time that is noted is the own clock's, and it is noted when the record *changes*.
#
# What a candidate does when it has lost: its controllers are thrown away, and it stands again, as a new process would.

# %% id="show-candidate"
from k8slab.engine.candidates import Candidate

show(Candidate)

# %% [markdown] id="code-heartbeat"
# And the heartbeat of a kubelet:

# %% id="show-heartbeat"
from k8slab.kubelet.node_lease import NodeLease

show(NodeLease.renew)

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercises
#
# - [Who leads?](../exercises/10_leases/who_leads.ipynb): predict what crash, cut, sleep and clocks do. About 15 minutes.
# - [Who takes the lease?](../exercises/10_leases/election.ipynb): write the decision of a candidate, and let three of them decide so. About 20 minutes.
# - [Keep a node alive](../exercises/10_leases/heartbeat.ipynb): write the heartbeat of a kubelet, and put it into real ones. About 25 minutes.
#
# ## What real Kubernetes does besides
#
# - Schedulers are elected the same way (`candidates={"kube-scheduler": 3}` here), and so are most programs that people write for Kubernetes themselves: the algorithm is part of the client library.
# - A cluster with a single controller manager elects it all the same. In this lab it does so only if you ask for candidates: else every chapter would be full of renewals.
# - A leader's program ends when it has lost, and a kubelet starts it again. Here only its controllers are thrown away.
# - Its health check fails if it holds a Lease which it should have given up long ago (`LeaderElector.check`): then the kubelet ends it.
# - API servers have Leases as well, though all of them work: `apiserver-` and a hash, in `kube-system`, for an hour, renewed every ten seconds. With these each of them knows which others there are. This lab has one API server, and leaves that out.
# - There is a newer way, *coordinated leader election*: candidates say which version they are, and a controller in the API server chooses the oldest one, so that an upgrade does not go back and forth. It is off by default.
#
# ## Where to read on
#
# - [Leases](https://kubernetes.io/docs/concepts/architecture/leases/)
# - [Node heartbeats](https://kubernetes.io/docs/reference/node/node-status/#heartbeats)
# - [Coordinated Leader Election](https://kubernetes.io/docs/concepts/cluster-administration/coordinated-leader-election/)
# - [client-go: leaderelection](https://pkg.go.dev/k8s.io/client-go/tools/leaderelection), whose first lines say what is not promised
# - [How to do distributed locking](https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html): sleepers, and fencing
