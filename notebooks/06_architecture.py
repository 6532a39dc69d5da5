# %% [markdown] id="title"
# # 06 · Architecture
#
# After this chapter you can
#
# - name the parts of a Kubernetes cluster, and say what each one does,
# - say what no longer happens when one of them is off, and what goes on all the same,
# - follow one request through the API server, down to etcd,
# - explain why a part that was off needs nobody to tell it what it missed.
#
# It follows the pages [Kubernetes Components](https://kubernetes.io/docs/concepts/overview/components/) and [Cluster Architecture](https://kubernetes.io/docs/concepts/architecture/).
# You need chapter 02.

# %% [markdown] id="parts"
# ## The parts
#
# A cluster has a *control plane*, which decides, and *nodes*, the machines on which containers run.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=3, seed=6)
print("\n".join(cluster.components))

# %% [markdown] id="parts-table"
# These parts work by themselves.
# Two more only answer: the API server, and etcd.
#
# | control plane | what it does | in this cluster |
# |---|---|---|
# | API server | It serves the Kubernetes API. Everybody talks to it, and to nobody else. | yes |
# | etcd | It keeps every object, as keys and values. Only the API server talks to it. | yes; `etcd-lessor` is the part of it that ends what has expired |
# | scheduler | It finds Pods without a node, and gives each of them one. | `kube-scheduler` |
# | controller manager | It runs the controllers. Each of them looks after one kind of thing. | all whose names end in `-controller`. Each stands by itself, so that you can switch it off alone |
# | cloud controller manager | It connects the cluster with a cloud provider. Without a cloud there is none. | not yet |
#
# | on every node | what it does | in this cluster |
# |---|---|---|
# | kubelet | It sees to it that the containers of its node's Pods run, and reports how they are. | `kubelet-node-1` and so on |
# | container runtime | It runs the containers. | simulated, or Docker |
# | kube-proxy | It keeps the network rules that make Services work. It carries no requests itself: in its usual mode the kernel follows the rules. It is optional, for some networks do it themselves. | not yet: a Service has an address, and nothing forwards to it |
#
# *Addons* are everything else that most clusters have: DNS, a dashboard, metrics, logs.
# They run in Pods, like your own programs.
# This cluster has none of them yet.
#
# Real Kubernetes builds the controllers into one program, `kube-controller-manager`, to have less to look after.
# They still do not know each other.
#
# There are many of them, and you need not know them all.
# This chapter switches off three: the deployment controller, the replicaset controller and the garbage collector.
# Chapter 07 is about those that look after nodes, chapter 09 about how a controller is made.

# %% id="parts-picture"
cluster.pictures.architecture(missing=True)

# %% [markdown] id="parts-picture-read"
# Look at the lines, not at the boxes: each stands for a connection that is really there.
#
# - Every component has one to the API server, and none to another component. (The controllers that are well are drawn as one box with one line, so that you can see something. Each has a line of its own.)
# - Only the API server has one to etcd.
# - A kubelet has a second one: to the container runtime of its own machine.
#
# In a few cases the API server calls by itself: for `kubectl logs` and `exec` it asks the kubelet, for the `proxy` path of chapter 02 it asks the Pod.
# It only passes on what you asked for.

# %% [markdown] id="at-work"
# ## At work
#
# A web server, three times.
# It is there to see whether the containers run, whatever else is off.

# %% id="create"
# %kubectl create deployment web --image=registry.k8s.io/e2e-test-images/agnhost:2.53 --replicas=3 -- /agnhost netexec --http-port=8080

# %% id="idle"
cluster.run_until_idle()
# %kubectl get pods -o wide

# %% [markdown] id="view"
# The next picture is alive in JupyterLab: leave it open, and come back to it while you switch things off below.

# %% id="view-picture"
cluster.view()

# %% [markdown] id="view-read"
# `asked` counts requests to the API server, `heard` counts changes that a watch has told; behind each controller stand the same two numbers.
# The garbage collector has asked most: it lists and watches every kind of object that can be deleted, except events.

# %% [markdown] id="inside"
# ## Inside the API server
#
# What happened to your `create` in there?
# The API server keeps no objects and makes no decisions about Pods.
# It checks a request, and stores it.

# %% id="chain"
cluster.pictures.chain()

# %% [markdown] id="chain-read"
# Three questions come first: what is asked, by whom, and may they?
# You are `kubernetes-admin`, who may do everything; each component has a name and rights of its own.
# Then the object is read, filled with defaults, changed and checked by *admission*, and stored.
# A request that fails at one place never reaches the next one.
# Try it: a Deployment whose name is not allowed.

# %% id="invalid"
# %kubectl create deployment Web --image=nginx

# %% [markdown] id="etcd"
# ## etcd: a log
#
# etcd is a store of keys and values.
# The heart of it is a log: each write makes a new *revision*, and the old ones stay for a while.
# Its newest entries are the last words of your `create`: a Pod is ready, and two controllers have counted it.

# %% id="entries"
for entry in cluster.store.entries()[-3:]:
    print(entry.revision, entry.key, f"change {entry.version} of this key")

# %% [markdown] id="entries-read"
# A watch is a place in this log, and nothing else.
# So it costs little, it can begin in the past, and two watches do not disturb each other:

# %% id="cursors"
first = cluster.store.watch("/registry/pods/", after=0)
second = cluster.store.watch("/registry/pods/", after=cluster.store.revision)
print("first: ", [entry.revision for entry in first.poll()])
print("second:", [entry.revision for entry in second.poll()])

# %% id="cursors-delete"
# %kubectl delete pod -l app=web

# %% id="cursors-again"
cluster.run_until_idle()
print("first: ", len(first.poll()), "changes")
print("second:", len(second.poll()), "changes")
print("first: ", len(first.poll()), "changes")

# %% [markdown] id="cursors-read"
# Both heard the same changes.
# Who has read everything hears nothing more, until something changes.
#
# No component has such a watch itself: only the API server reads etcd.
# It gives watches to the others, and these are many:

# %% id="open-watches"
cluster.server.watches.open_watches

# %% [markdown] id="off"
# ## Switch one off
#
# Now to the question of this chapter: what does each part do?
# Switch it off, and see what is missing.
# `cluster.crash` stops a component as a crash would: without a word to anybody.

# %% [markdown] id="scheduler-off"
# ### The scheduler
#
# What do you expect: will the Pods that run go on?
# Will a new one start?

# %% id="scheduler-crash"
cluster.crash("kube-scheduler")

# %% id="scheduler-run"
# %kubectl run late --image=nginx

# %% id="scheduler-pods"
cluster.run_for("30s")
# %kubectl get pods -o wide

# %% [markdown] id="scheduler-read"
# `late` is `Pending`: it is stored, and no node stands in it.
# There is not even an event, for it is the scheduler that would write one.
# The others run on.
# The scheduler has done its part for them, and nobody asks it again.

# %% id="scheduler-picture"
cluster.pictures.architecture()

# %% id="scheduler-start"
cluster.start("kube-scheduler")
cluster.run_for("10s")
# %kubectl get pods

# %% [markdown] id="scheduler-back"
# Nobody has told the scheduler about `late`.
# What did it do when it was back?
# These were its first requests:

# %% id="scheduler-requests"
requests = cluster.records(kind="request", component="kube-scheduler")
back = [record for record in requests if record.time > cluster.now - 11]
for record in back[:6]:
    print(record.verb, record.what)

# %% [markdown] id="scheduler-back-read"
# It *listed* all nodes, all Pods and all namespaces, and watched from there on.
# A list does not say what has happened.
# It says how things are: there is a Pod without a node.
# That is enough to know what to do.
# Components that work like this are called *level-triggered*.

# %% [markdown] id="rs-off"
# ### The replicaset controller
#
# It keeps the number of Pods.
# Without it, delete a Pod, and ask for a second Deployment.

# %% id="rs-crash"
cluster.crash("replicaset-controller")
pod = cluster.kubectl("get pods -l app=web -o name").stdout.split()[0]
# %kubectl delete {pod}

# %% id="rs-second"
# %kubectl create deployment second --image=nginx

# %% id="rs-pods"
cluster.run_for("30s")
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="rs-read"
# Three things to see:
#
# - Deployment `second` has got a ReplicaSet. The deployment controller works, and does not notice anything.
# - That ReplicaSet has no Pods.
# - `web` has two Pods, and says `3/3`. A status is no measurement: it is what somebody wrote last. This count comes from the one that is off.

# %% id="rs-start"
cluster.start("replicaset-controller")
cluster.run_for("10s")
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="deployment-off"
# ### The deployment controller
#
# Without it: ask for four copies of `web`, give `second` a new version, and delete the Pod of `second`.

# %% id="deployment-crash"
cluster.crash("deployment-controller")
# %kubectl scale deployment/web --replicas=4

# %% id="deployment-set-image"
# %kubectl set image deployment/second nginx=nginx:1.27

# %% id="deployment-delete"
# %kubectl delete pod -l app=second

# %% id="deployment-pods"
cluster.run_for("30s")
# %kubectl get deployments,replicasets,pods

# %% id="deployment-images"
# %kubectl get deployments,replicasets -o custom-columns=KIND:.kind,NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image

# %% [markdown] id="deployment-read"
# The wish is there: `3/4`, and `nginx:1.27` in the Deployment `second`.
# Nobody carries it out: no ReplicaSet has changed.
#
# But the deleted Pod was replaced.
# That is not a deployment controller's work.
# So what heals itself goes on healing, and what should change does not.

# %% id="deployment-start"
cluster.start("deployment-controller")
cluster.run_for("10s")
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="gc-off"
# ### The garbage collector
#
# You delete a Deployment.
# The API server removes one object: the Deployment.
# Who removes the rest?

# %% id="gc-crash"
cluster.crash("garbage-collector-controller")
# %kubectl delete deployment second

# %% id="gc-left"
cluster.run_for("30s")
# %kubectl get deployments,replicasets,pods -l app=second

# %% [markdown] id="gc-read"
# The ReplicaSets are there, and so is the Pod, and it runs.
# They name an owner that is gone.
# It is the garbage collector that looks for such objects.

# %% id="gc-start"
cluster.start("garbage-collector-controller")
cluster.run_for("10s")
# %kubectl get deployments,replicasets,pods -l app=second

# %% [markdown] id="kubelet-off"
# ### A kubelet
#
# Now a part of a node.
# Does a container stop when the kubelet that has started it is gone?

# %% id="kubelet-crash"
columns = "get pods -l app=web --no-headers -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName"
pod, node = cluster.kubectl(columns).stdout.split()[:2]
cluster.crash(f"kubelet-{node}")
proxy = f"/api/v1/namespaces/default/pods/{pod}:8080/proxy"
# %kubectl get --raw {proxy}/hostname

# %% [markdown] id="kubelet-runs"
# It answers: a container belongs to the runtime, not to the kubelet.
# Now let the program crash.
# This one has a path for it, `/exit`.
# A minute later:

# %% id="kubelet-exit"
cluster.kubectl(f"get --raw {proxy}/exit?code=1")
cluster.run_for("1m")
# %kubectl get pods -l app=web -o wide

# %% id="kubelet-truth"
# %kubectl get --raw {proxy}/hostname

# %% [markdown] id="kubelet-read"
# `kubectl get` says `1/1` and `Running`, and the program is dead.
# Nobody has restarted it, and nobody has written that its container is down: both are the kubelet's work.
#
# You cannot read its log either, for it is the kubelet that would hand it over:

# %% id="kubelet-logs"
cluster.kubectl(f"logs {pod}")

# %% id="kubelet-nodes"
# %kubectl get nodes

# %% [markdown] id="kubelet-nodes-read"
# The kubelet last wrote that its node is ready.
# Another component distrusts such old words: the node lifecycle controller.
# When nothing was heard of a node for 50 seconds, it makes the node `NotReady`, and the Pods on it too:

# %% id="kubelet-deployment"
# %kubectl get deployment web

# %% [markdown] id="kubelet-deployment-read"
# So those Pods no longer count as ready, whether their programs run or not: nobody can know.
# After five more minutes they would be deleted, and replaced on other nodes.
# Chapter 07 is about that.

# %% id="kubelet-start"
cluster.start(f"kubelet-{node}")
cluster.run_for("10s")
# %kubectl get pods -l app=web

# %% [markdown] id="kubelet-back"
# The new kubelet has not begun from nothing.
# It asked its runtime what is there, found the container dead, and started it again: `RESTARTS` is 1.

# %% [markdown] id="cut"
# ### All of them, from the API server
#
# What if the API server itself cannot be reached?
# We cut the line of every component to it, and leave only yours.

# %% id="cut-start"
cuts = [cluster.fault("cut-off", component=name) for name in cluster.components if name != "etcd-lessor"]
for cut in cuts:
    cut.start()

# %% [markdown] id="cut-try"
# You ask for six copies, and one container crashes.

# %% id="cut-scale"
# %kubectl scale deployment/web --replicas=6

# %% id="cut-crash"
cluster.fault("container-crash", pod=pod).start()
cluster.run_for("1m")
# %kubectl get deployments,pods

# %% id="cut-picture"
cluster.pictures.architecture()

# %% [markdown] id="cut-read"
# Nothing has changed, as far as `kubectl` can see.
# No controller has heard your wish.
# And the crashed container?

# %% id="cut-truth"
# %kubectl get --raw {proxy}/hostname

# %% id="cut-calls"
for record in cluster.records(kind="call")[-3:]:
    print(record.component, record.verb)

# %% [markdown] id="cut-why"
# It runs again.
# The kubelet still knows what belongs on its node, and it can reach its own runtime.
# Only it cannot tell anybody.
#
# So this is what a control plane is for: **without it, all that runs goes on running, but no wish is carried out any more.**

# %% id="cut-stop"
for cut in cuts:
    cut.stop()
cluster.run_for("30s")
# %kubectl get deployments,pods

# %% [markdown] id="cut-back"
# Everything has caught up: six copies, and the restart is in the list.

# %% [markdown] id="summary"
# ## All in one picture
#
# What was switched off before the cut, from when on, and for how long.
# `end` is in seconds: the cut came after 230 of them.

# %% id="faults"
whole = cluster.pictures.timeline(end=230)
for began, lane, what, lasted, *_ in whole.table.rows:
    if lane == "faults":
        print(f"{began:>8}  {lasted:6} {what}")

# %% [markdown] id="timeline-intro"
# The same as bars, among all that happened.
# A bar marked as stopped in a component's lane is the time without it.

# %% id="timeline" tags=["nbval-ignore-output"]
whole

# %% [markdown] id="summary-table"
# | off | what no longer happens | what goes on |
# |---|---|---|
# | scheduler | new Pods get no node | all Pods that have one |
# | replicaset controller | Pods that are missing are not made, counts get old | Deployments get their ReplicaSets |
# | deployment controller | no scaling of Deployments, no new versions | lost Pods are replaced |
# | garbage collector | what a deleted owner leaves behind stays | all else |
# | a kubelet | on its node: no new containers, no restarts, no news, no logs; soon its Pods no longer count as ready | its containers run |
# | the way to the API server | nothing that you ask for is done, nobody reports anything | containers run, and are restarted |

# %% [markdown] id="slow"
# ## Late is not off
#
# A component acts on what it has *heard*.
# Mostly that is as good as what is.
# What if the news comes late?
# This watch holds everything back, for up to twenty seconds.

# %% id="slow-watch"
pod = cluster.kubectl("get pods -l app=web -o name").stdout.split()[0].removeprefix("pod/")
with cluster.fault("slow-watch", component="replicaset-controller", delay=20, repeat=0, lose=0):
    began = cluster.now
    cluster.kubectl(f"delete pod {pod}")
    cluster.run_for("60s")

for record in cluster.records(what="pods/"):
    happened = record.kind == "commit" and record.verb in ("create", "delete")
    heard = record.kind == "delivery" and record.component == "replicaset-controller"
    if record.time > began and (happened or heard):
        print(f"{record.time - began:5.1f}s  {record.component:21} {record.kind:8} {record.verb:8} {record.what}")

# %% [markdown] id="slow-read"
# `commit` is what happened, `delivery` is what the controller heard.
#
# - The Pod was gone at once. The controller believed in it for seconds more, and made a new one only then.
# - Of its own new Pod it heard late as well. In between it saw one Pod too few, and yet it did not make another one.
#
# How it avoids that is told in chapter 09.
# What to keep from here: a component knows the past, by a little or by a lot.

# %% [markdown] id="code"
# ## How the code does it
#
# This is all that the cluster asks of a component:

# %% id="show-component"
from k8slab.lab import show
from k8slab.loop.component import Component

show(Component)

# %% [markdown] id="code-crash"
# To crash one is to throw it away, and to start it is to make a new one.
# It brings nothing with it.

# %% id="show-crash"
from k8slab.engine.processes import Processes

show(Processes.crash)

# %% id="show-start"
show(Processes.start)

# %% [markdown] id="code-relist"
# What it must know it learns here, by a list; then it watches from the list's revision on:

# %% id="show-relist"
from k8slab.client.informer import Informer

show(Informer._relist)

# %% [markdown] id="code-handle"
# The API server's way of a request, as in the picture above.
# What has to do with `trail` writes the audit log, in which a cluster can keep who asked for what:

# %% id="show-handle"
from k8slab.apiserver.server import ApiServer

show(ApiServer.handle)

# %% [markdown] id="code-cursor"
# A watch of etcd, a place in the log:

# %% id="show-cursor"
from k8slab.etcd.memory import MemoryCursor

show(MemoryCursor)

# %% [markdown] id="code-engine"
# And here all parts are put together:

# %% id="show-engine"
from k8slab.engine.engine import Engine

show(Engine.__init__)

# %% [markdown] id="code-worker"
# No component is given another one: only a client, a clock, and a source of chance.

# %% id="show-worker"
from k8slab.engine.control_plane import ControlPlane

show(ControlPlane._make_worker)

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercises
#
# - [What still works?](../exercises/06_architecture/what_still_works.ipynb): predict what each missing part stops. About 20 minutes.
# - [Which component is off?](../exercises/06_architecture/which_is_off.ipynb): write the function that finds out, with `kubectl` alone. About 20 minutes.
#
# ## What real Kubernetes does besides
#
# - The components are separate programs on several machines. Some clusters run them as services of the operating system, some in Pods that a kubelet starts from files, some leave them to a cloud provider.
# - There can be several of each. Of schedulers and controller managers one works, and the others stand by: chapter 10. API servers all work at once.
# - etcd is a cluster of its own, of three or five members, so that one of them may fail.
# - There are some more controllers: for volumes, for autoscaling, for certificates, for cloud providers.
# - The `crd-controller`, which looks after custom kinds, is a part of the API server there.
#
# ## Where to read on
#
# - [Kubernetes Components](https://kubernetes.io/docs/concepts/overview/components/)
# - [Cluster Architecture](https://kubernetes.io/docs/concepts/architecture/), with the ways to run a control plane
# - [Controllers](https://kubernetes.io/docs/concepts/architecture/controller/): the control loop
# - [Self-Healing](https://kubernetes.io/docs/concepts/architecture/self-healing/)
# - [etcd: data model](https://etcd.io/docs/latest/learning/data_model/): revisions, and the log
