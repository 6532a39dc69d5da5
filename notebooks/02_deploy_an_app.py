# %% [markdown] id="title"
# # 02 · Deploy an app
#
# After this chapter you can
#
# - deploy an app, and reach it through the API server,
# - say which part of Kubernetes does what between `kubectl create` and a running container,
# - walk through that story step by step, go back in it, and ask why,
# - try two futures of the same past, and keep a story in a file.
#
# It follows Kubernetes' own tutorial [Using kubectl to Create a Deployment](https://kubernetes.io/docs/tutorials/kubernetes-basics/deploy-app/deploy-intro/).
# You need chapter 01, and neither Docker nor a network.

# %% [markdown] id="an-app"
# ## An app
#
# The app of the tutorial is a web page that says where it runs.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=3, seed=2)

# %% id="create"
# %kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1

# %% id="get-at-once"
# %kubectl get deployments

# %% [markdown] id="columns"
# - `READY`: how many copies are ready, of how many that you want.
# - `UP-TO-DATE`: how many copies are of the newest version.
# - `AVAILABLE`: how many copies have been ready for long enough.
#
# Nothing is ready yet.
# `created` means only: the API server has stored an object.
# Let time pass, until nobody has work to do.

# %% id="idle"
cluster.run_until_idle()
# %kubectl get deployments

# %% id="pods-wide"
# %kubectl get pods -o wide

# %% [markdown] id="way"
# ## The way to the app
#
# The Pod has an address of its own: the column `IP`.
# It is valid inside the cluster only: your browser cannot reach it.
# But you can reach the API server, and the API server can reach the Pod.
#
# The tutorial opens a second terminal window, and starts `kubectl proxy` there:
#
# ```console
# $ kubectl proxy                           # in one window: it runs until you stop it with Ctrl+C
# Starting to serve on 127.0.0.1:8001
# $ curl http://localhost:8001/version      # in the other one
# ```
#
# `kubectl proxy` is a small web server on your own machine.
# It passes every request on to the API server, and adds your credentials: `curl` has none.
# It runs until you stop it, and takes up its window.
# That is why there is a second one.
#
# `kubectl get --raw PATH` sends one such request by itself, and prints the answer.
# It takes the same way to the API server, so we use it here.
# In a terminal, with `k8slab start`, the `kubectl proxy` of the tutorial works as well.

# %% id="raw-version"
# %kubectl get --raw /version

# %% [markdown] id="version-read"
# That is what `curl http://localhost:8001/version` prints in the tutorial.
#
# Now the Pod.
# Its name is different in every cluster.
# A go-template takes it out of the list of Pods:

# %% id="pod-name"
template = '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'
pod = cluster.kubectl(["get", "pods", "-o", f"go-template={template}"]).stdout.strip()
pod

# %% [markdown] id="template-read"
# For each of the `.items`, the template prints `.metadata.name` and the end of a line.
#
# Every object has a path of its own: `/api/v1/namespaces/default/pods/NAME`.
# A Pod has a second path below it, `proxy`.
# What follows `proxy` is a path of the app.
# `:8080` is the port on which the app listens.

# %% id="raw-proxy"
# %kubectl get --raw /api/v1/namespaces/default/pods/{pod}:8080/proxy/

# %% [markdown] id="proxy-read"
# The app has answered.
# You asked the API server, the API server asked the Pod, and the answer came back the same way.
# The app's log has a line for the request:

# %% id="logs"
# %kubectl logs deployment/kubernetes-bootcamp

# %% [markdown] id="without-port"
# Without a port, the API server tries the first port that the Pod's spec names.
# This Pod names none, so it tries port 80.

# %% id="raw-no-port"
# %kubectl get --raw /api/v1/namespaces/default/pods/{pod}/proxy/

# %% [markdown] id="without-port-read"
# Read it from the left: the API server says that *it* could not reach the Pod.
# Nobody listens on port 80 there.
#
# The proxy is for looking, not for users: every byte goes through the API server, and you name one Pod that may be gone tomorrow.
# Users come through a Service, which chapter 04 is about.
# A Service is not "the port of a Deployment": it chooses Pods by their labels, whoever has made them.

# %% [markdown] id="slowly"
# ## From `create` to Running, slowly
#
# Between your command and the running container there were only a few seconds.
# What happened in them?
#
# Everything that came from outside is in the cluster's story: your commands, and time that passed.

# %% id="story"
cluster.story()

# %% [markdown] id="story-read"
# `STEP` counts what has happened: each input is a step, and so is each piece of work of each component.
# Before your command there were many steps already: the cluster was starting.
# `cluster.first_step` is their number, and your command was the next one.
# So this goes to the moment just after it:

# %% id="goto"
just_after = cluster.first_step + 1
cluster.goto(just_after)

# %% id="just-after"
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="just-after-read"
# This is a whole cluster, as it was then.
# It is not a film of it: you can go on from here.
#
# Your command has made one object, the Deployment.
# That is all that `kubectl create` does: it sends one object to the API server, and ends.
# Now one step: on, until somebody has written something.

# %% id="step-deployment"
cluster.step(by="write").table

# %% [markdown] id="step-deployment-read"
# Each line is something that happened, in order:
#
# - `delivery`: a watch brought news to a component. Here the deployment controller hears of a new Deployment. Others watch Deployments too, and may hear of it earlier or later.
# - `work`: the component looks at one object. It gets no more than a name, `default/kubernetes-bootcamp`.
# - `commit`: something has changed in etcd, the cluster's store. Here a ReplicaSet was created.
# - `request`: the request to the API server that asked for that change.
#
# Besides the ReplicaSet the controller wrote an event, and noted in the Deployment how far it is.
#
# Who comes next?
# From now on we follow one component at a time, and print only the news that it got and what it did then.


# %% id="told"
def told(stepped):
    """What the component of a step heard, wrote, and asked of its runtime; events are left out."""
    for record in stepped.happened:
        mine = record.component == stepped and record.kind in ("delivery", "commit", "call")
        if mine and not record.what.startswith("events/"):
            print(f"{record.kind:9} {record.verb:15} {record.what}")


# %% id="step-replicaset"
told(cluster.step(by="write", component="replicaset-controller"))

# %% [markdown] id="step-replicaset-read"
# The replicaset controller heard of a ReplicaSet that wants one Pod and has none.
# It wrote a Pod.
# Nobody has told it to: the deployment controller does not know that there is a replicaset controller.

# %% id="pending"
# %kubectl get pods -o custom-columns=NAME:.metadata.name,PHASE:.status.phase,NODE:.spec.nodeName

# %% [markdown] id="pending-read"
# The Pod exists, as an object: `Pending`, and on no node.
# It is a wish, and nothing runs yet.

# %% id="step-scheduler"
told(cluster.step(by="write", component="kube-scheduler"))

# %% [markdown] id="step-scheduler-read"
# The scheduler heard of a Pod without a node.
# It chose one, and wrote its name into the Pod: `spec.nodeName`.
# It has not started anything, and it has not spoken to the node.
#
# Why that node?
# Its plugins first *filter*: can this node take the Pod?
# Then they *score* the nodes that are left: how well does it fit?

# %% id="verdicts"
cluster.pictures.verdicts(f"pod/{pod}")

# %% [markdown] id="verdicts-read"
# All three are equally good, so one of them was drawn by lot.
# Every node is empty, and the Pod asks for nothing special.
# If no node could take the Pod, it would stay `Pending`, and an event would say how many nodes failed for which reason.
#
# Next is the kubelet of that node.

# %% id="step-kubelet"
node = cluster.kubectl(f"get pod {pod} -o jsonpath={{.spec.nodeName}}").stdout
told(cluster.step(by="write", component=f"kubelet-{node}"))

# %% [markdown] id="step-kubelet-read"
# Its watch is narrow: a kubelet hears only of Pods of its own node.
# For it the Pod is new, `ADDED`.
#
# It is the first one that does something outside of the API server: it calls its container runtime (`call`).
# The image is being pulled, and the sandbox is there: the network and the address of the Pod.
#
# Go on until the Pod runs.
# A breakpoint stops everything when something happens:

# %% id="break"
until_running = cluster.break_on(kind="Pod", when=lambda pod: pod.status.phase == "Running")
cluster.run_for("1m")

# %% id="break-call"
cluster.unbreak(until_running)
for record in cluster.records(kind="call", component=f"kubelet-{node}"):
    print(record.verb, record.what)

# %% id="running"
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="running-read"
# Now look closely.
# The Pod is ready, and Deployment and ReplicaSet still say `0`.
# The kubelet has written the Pod's status only; the other two are not its business.
# Both controllers have a watch that will tell them.

# %% id="counts-rs"
told(cluster.step(by="write", component="replicaset-controller"))

# %% id="counts-deployment"
told(cluster.step(by="write", component="deployment-controller"))

# %% id="counted"
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="nobody-calls"
# So the story has a pattern.
# **Nobody calls anybody.**
# Each component says: my watch moved, I looked, I wrote.
# The API server stands between all of them.

# %% [markdown] id="who-what"
# ## Who does what
#
# The records hold every write of this cluster's life.
# Here are those since your command, each sort once, without events and heartbeats:

# %% id="who-writes"
seen = []
for record in cluster.records(kind="commit"):
    line = f"{record.component or 'you':22} {record.verb:7} {record.what.split('/')[0]}"
    if record.step >= cluster.first_step and record.what.split("/")[0] not in ("events", "leases") and line not in seen:
        seen.append(line)
print("\n".join(seen))

# %% [markdown] id="who-writes-read"
# With this list you can answer what many get wrong at first:
#
# - Does the deployment controller start containers? No. It does not even write Pods: it writes ReplicaSets.
# - Who keeps the number of Pods? The replicaset controller. From the deployment controller comes only the number that stands in the ReplicaSet.
# - Does the scheduler start Pods on a node? No. It writes a node's name into the Pod.
# - Who starts containers? The kubelet of that node, through its container runtime. It is the only one that touches containers.
# - Who replaces a Pod that is gone? The tutorial says, for short, "the Deployment controller". Precisely, it is the replicaset controller.

# %% [markdown] id="why"
# ## Why?
#
# Every record names its cause.
# So the cluster can say why something is as it is.
# Why does the Deployment say that one copy is ready?

# %% id="why-ready"
cluster.why("deployment/kubernetes-bootcamp", field="status.readyReplicas").table

# %% [markdown] id="why-read"
# Read it from top to bottom: each line happened because of the line above.
# The first one is you.
#
# That was asked backwards, from a field to its causes.
# This is the same forwards: all that came of your command.
# Without `.table` such a thing shows itself as a picture.

# %% id="causal"
cluster.pictures.causal()

# %% [markdown] id="causal-read"
# And as a sequence: who says what to whom.
# Find the column of the API server: no arrow goes past it from one component to another.
# Only the kubelet has arrows to itself: they are the calls to its container runtime.

# %% id="sequence"
cluster.pictures.sequence()

# %% [markdown] id="sequence-text"
# The same as a table, to look things up:

# %% id="sequence-table"
cluster.pictures.sequence().table

# %% [markdown] id="states"
# Where in its life is the Pod?
# These are all phases that there are, and the Pod's own is marked.

# %% id="states-picture"
cluster.pictures.states("pod", f"pod/{pod}")

# %% [markdown] id="reconciliation"
# And what did the deployment controller compare, each time it looked?

# %% id="reconciliation-table"
cluster.pictures.reconciliation("deployment/kubernetes-bootcamp").table

# %% [markdown] id="reconciliation-read"
# Desired, observed, difference, action: this is the control loop, turn by turn.
# Chapter 09 builds one.

# %% [markdown] id="past"
# ## The past
#
# There are two ways to look back.
# The first one only looks.
# `cluster.at` gives the cluster as it was, to be read.
# Two seconds after the start, the image was still being pulled:

# %% id="at"
cluster.at("+2s").kubectl("get pods")

# %% [markdown] id="diff"
# `cluster.diff` compares two moments.
# Your command created the Deployment; the revision before that is the last one without it.

# %% id="diff-created"
command = cluster.records(kind="commit", what="deployments/")[0]
cluster.diff(command.revision - 1).of("created")

# %% [markdown] id="diff-changed"
# From the time when the Pod was pulling its image until now, what has changed about the ReplicaSet, and who did it?

# %% id="diff-replicaset"
print(cluster.diff("+2s", kind="replicaset"))

# %% [markdown] id="back"
# The second way really goes back.
# `back`, `forward` and `goto` move the cluster itself.

# %% id="back-20"
cluster.back(20)
# %kubectl get pods

# %% id="forward-20"
cluster.forward(20)
# %kubectl get pods

# %% [markdown] id="how-back"
# How can a cluster go back?
# It does not keep copies of itself.
# It lives again.
# What came from outside was written down, time and chance are given, so the same life leads to the same state.
# The fingerprint of the whole state shows that: log, caches, queues and containers.

# %% id="fingerprint"
before = cluster.fingerprint()
print(cluster.back(25).forward(25).fingerprint() == before)

# %% [markdown] id="fork"
# ## Another way
#
# A fork is a second cluster with the same past, and a future of its own.
# What if you had asked for three copies?
# And what if you had deleted the Deployment?
# Try both.

# %% id="fork-scale"
with cluster.fork() as larger:
    larger.kubectl("scale deployment/kubernetes-bootcamp --replicas=3")
    larger.run_until_idle()
    print(larger.kubectl("get deployments,pods"))
    fan = larger.pictures.causal()

# %% [markdown] id="fan"
# What came of a command was a chain above.
# Two new Pods at once make a fan:

# %% id="fan-picture"
fan

# %% id="fork-delete"
with cluster.fork() as gone:
    gone.kubectl("delete deployment kubernetes-bootcamp")
    gone.run_for("1m")
    print(gone.kubectl("get deployments,replicasets,pods"))

# %% [markdown] id="fork-parent"
# The first cluster knows nothing of it:

# %% id="parent"
# %kubectl get deployments,pods

# %% [markdown] id="fork-note"
# `%kubectl` speaks to the cluster that was made last and is still open.
# That is why the forks above use `larger.kubectl` and `gone.kubectl`.
#
# A fork can begin at any step.
# This one begins just after your command, and has no scheduler:

# %% id="fork-early"
with cluster.fork(just_after) as other:
    other.crash("kube-scheduler")
    other.run_for("1m")
    print(other.kubectl("get deployments,replicasets,pods"))

# %% [markdown] id="fork-early-read"
# There the story stops after the third object.
# Chapter 06 switches every component off, one after the other.

# %% [markdown] id="save"
# ## Keep it
#
# A story fits into a file: `cluster.save("bootcamp.k8slab")`, and `Cluster.load("bootcamp.k8slab")` on another day, or on another machine.
# The file holds what you sent to the cluster, Secrets too: think before you give it away.

# %% id="saved"
from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    file = cluster.save(Path(folder) / "bootcamp.k8slab")
    with Cluster.load(file) as again:
        print(again.fingerprint() == cluster.fingerprint())

# %% [markdown] id="widgets"
# ## By hand
#
# In JupyterLab the next two are alive: the picture changes with the cluster, and the buttons move it.
# Run the cells, press *Step* or *Back*, and watch.
# Elsewhere you see how they were when this chapter was made.

# %% id="graph"
cluster.graph("deployment", "kubernetes-bootcamp")

# %% id="controls"
cluster.controls()

# %% [markdown] id="code"
# ## How the code does it
#
# This is how every component hears of changes: it keeps a copy of the objects, and brings it up to date when its watch moves.
# `poll` asks the watch for what is new.

# %% id="show-drain"
from k8slab.client.informer import Informer
from k8slab.lab import show

show(Informer.drain)

# %% [markdown] id="code-controller"
# And this is one turn of every controller: bring the copies up to date, take one name from the queue, look at it.

# %% id="show-step"
from k8slab.client.controller import Controller

show(Controller.step)

# %% [markdown] id="code-create"
# In this chapter `reconcile` was the deployment controller's, and it came to here: it has no ReplicaSet of this version yet, so it writes one.
# Look for a call to another component.
# There is none: `self.client` speaks to the API server.

# %% id="show-create"
from k8slab.controllers.deployment.replica_sets import ReplicaSets

show(ReplicaSets.create_new)

# %% [markdown] id="code-bind"
# The scheduler's answer is one small object, a `Binding`:

# %% id="show-bind"
from k8slab.client.client import Client

show(Client.bind)

# %% [markdown] id="code-proxy"
# And the way through the API server to a Pod, `/proxy`, ends here:

# %% id="show-proxy"
from k8slab.apiserver.subresources.proxy import proxy

show(proxy)

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercises
#
# - [What is written next?](../exercises/02_deploy_an_app/next_write.ipynb): predict the chain, one write at a time. About 15 minutes.
# - [The way to a Pod](../exercises/02_deploy_an_app/pod_path.ipynb): write the function that finds an app and asks it. About 20 minutes.
#
# ## What real Kubernetes does besides
#
# - Its components run at the same time, on several machines. Here they take turns, in an order that the seed decides. The end is the same; who counts first may differ.
# - More components hear of the same Pod, here as there: the EndpointSlice controller, the node lifecycle controller, and others. They found nothing to do, so the pictures leave them out. kube-proxy is one that only real Kubernetes has.
# - Its scheduler has more plugins, for volumes above all.
# - Its kubelet makes the sandbox first and pulls the image then. Here both begin at once.
# - It cannot go back. Its history is only as long as etcd keeps it, and events are gone after an hour.
#
# ## Where to read on
#
# - [Using kubectl to Create a Deployment](https://kubernetes.io/docs/tutorials/kubernetes-basics/deploy-app/deploy-intro/), and [Viewing Pods and Nodes](https://kubernetes.io/docs/tutorials/kubernetes-basics/explore/explore-intro/)
# - [Use an HTTP Proxy to Access the Kubernetes API](https://kubernetes.io/docs/tasks/extend-kubernetes/http-proxy-access-api/)
# - [Access Services Running on Clusters](https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/): more of the `proxy` paths
# - [Kubernetes API Concepts](https://kubernetes.io/docs/reference/using-api/api-concepts/): watches and resource versions
# - Chapter 06 takes the components one by one.
