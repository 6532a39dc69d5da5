# %% [markdown] id="title"
# # 01 · Hello, cluster
#
# After this chapter you can
#
# - start a Kubernetes cluster and ask it what is there,
# - run a program in it, and read what happened from the events,
# - say who owns whom: Deployment, ReplicaSet, Pod,
# - tell a Pod whose image cannot be pulled from one that is only slow, and mend it in two ways.
#
# It follows Kubernetes' own tutorial [Hello Minikube](https://kubernetes.io/docs/tutorials/hello-minikube/).
# You need no Docker and no network.

# %% [markdown] id="a-cluster"
# ## A cluster
#
# This cell starts a cluster of three nodes.

# %% id="start"
from k8slab import Cluster

cluster = Cluster(nodes=3, seed=1)
cluster

# %% [markdown] id="stepped"
# The API server, the scheduler, the controllers and the kubelets are real programs, written in Python.
# The containers are *simulated*: small Python programs that behave like the real ones.
# Time is *virtual*: it stands still until you let it pass.
# So you can stop and look at any moment, and the same commands always give the same result.
#
# `kubectl` is the real one. Every command below would work on any other cluster too.

# %% id="version"
# %kubectl version

# %% id="nodes"
# %kubectl get nodes -o wide

# %% [markdown] id="nodes-read"
# Each line is a node: a machine that can run containers.
# `CONTAINER-RUNTIME` says `simulated`: nothing here pretends to be a real machine.

# %% [markdown] id="first-program"
# ## A first program
#
# `kubectl create deployment` asks for one copy of a program.
# The program is `agnhost`, a small web server that Kubernetes uses in its own tests.

# %% id="create"
# %kubectl create deployment hello-node --image=registry.k8s.io/e2e-test-images/agnhost:2.39 -- /agnhost netexec --http-port=8080

# %% id="get-at-once"
# %kubectl get deployments,pods

# %% [markdown] id="creating"
# `0/1`: nothing runs yet. The node has to pull the image first, and no time has passed.
# `run_until_idle` lets time pass until nobody has work to do.

# %% id="idle"
cluster.run_until_idle()
# %kubectl get deployments,pods

# %% [markdown] id="events-intro"
# What happened meanwhile? Every part of the cluster writes events about what it does.

# %% id="events"
# %kubectl get events --sort-by=.metadata.creationTimestamp

# %% [markdown] id="events-read"
# Read the column `OBJECT`. Four kinds of objects have events:
#
# - each **Node**: its kubelet started, and the node became ready,
# - the **Deployment**: it made a ReplicaSet ("scaled up"),
# - the **ReplicaSet**: it made a Pod,
# - the **Pod**: it got a node, its image was pulled, its container was created and started.
#
# The Pod's own story is also at the end of `describe`.

# %% id="describe"
# %kubectl describe pod -l app=hello-node

# %% [markdown] id="logs-intro"
# What the program itself says is in its log. It has only just started: give it a second.

# %% id="logs"
cluster.run_for("1s")
# %kubectl logs deployment/hello-node

# %% [markdown] id="owners"
# ## Who owns whom
#
# You asked for a Deployment, and you got three objects. Each names its owner in `metadata.ownerReferences`.
# This draws it from the API:

# %% id="graph-text"
from k8slab.lab import ownership_graph

graph = ownership_graph(cluster, "deployment", "hello-node")
print(graph)

# %% id="graph-picture" tags=["nbval-ignore-output"]
graph

# %% [markdown] id="owners-why"
# Why three layers?
#
# - A **Pod** is one running copy. It lives and dies on one node.
# - A **ReplicaSet** keeps a number of equal Pods. If one goes, it makes another.
# - A **Deployment** moves from one version of the Pod to the next: it makes a new ReplicaSet, lets it grow and lets the old one shrink.
#
# Delete the Pod, and see who reacts.

# %% id="delete-pod"
# %kubectl delete pod -l app=hello-node

# %% id="replaced"
cluster.run_until_idle()
# %kubectl get pods

# %% [markdown] id="replaced-why"
# The Pod has another name: it is a new one. Nobody restarted the old one; the ReplicaSet counted, found one too few, and made one.

# %% [markdown] id="pull"
# ## A pull that fails
#
# The most common trouble of a first day is an image that cannot be pulled: a typing error, or a registry that a firewall keeps away.
# Let us block the registry.

# %% id="block"
cluster.registry.fail("registry.k8s.io", "dial tcp: i/o timeout")

# %% id="blocked-create"
# %kubectl create deployment blocked --image=registry.k8s.io/e2e-test-images/agnhost:2.53

# %% id="blocked-now"
# %kubectl get pods -l app=blocked

# %% id="blocked-later"
cluster.run_for("8s")
# %kubectl get pods -l app=blocked

# %% [markdown] id="two-words"
# Two words for two moments:
#
# - `ErrImagePull`: the kubelet has just tried, and failed.
# - `ImagePullBackOff`: it waits before it tries again.
#
# The wait is 10 seconds after the first failure, then 20, 40, and so on, up to five minutes.
# Two virtual minutes later:

# %% id="two-minutes"
cluster.run_for("2m")
# %kubectl get events --field-selector involvedObject.kind=Pod,reason=Failed

# %% id="pulling-events"
# %kubectl get events --field-selector reason=Pulling -o custom-columns=COUNT:.count,OBJECT:.involvedObject.name,MESSAGE:.message

# %% [markdown] id="count"
# One line for four tries: the same event again is counted, not repeated. `kubectl describe` shows it so:

# %% id="counted"
# %kubectl describe pod -l app=blocked

# %% [markdown] id="what-is-wrong"
# The events say what is wrong: `dial tcp: i/o timeout`. The Pod is fine; the way to the registry is not.

# %% [markdown] id="cures"
# ### Two cures
#
# **Another image.** Take the image from where you can reach it.
# `kubectl set image` changes the Deployment's template, and the Deployment makes a new ReplicaSet.

# %% id="set-image"
# %kubectl set image deployment/blocked agnhost=docker.io/library/nginx:1.27

# %% id="set-image-status"
# %kubectl rollout status deployment/blocked

# %% [markdown] id="set-image-wait"
# `rollout status` waits until the new version runs. Virtual time passed while kubectl waited.

# %% id="set-image-graph"
print(ownership_graph(cluster, "deployment", "blocked"))

# %% [markdown] id="old-rs"
# The old ReplicaSet is still there, with no Pods: it is the way back (`kubectl rollout undo`).
#
# **The way to the registry.** A firewall is opened, a proxy is set, or a mirror stands in for the registry.
# On your own machine a mirror is one option: `k8slab start --mirrors registry.k8s.io=mirror.example/k8s`.
# Here we mend the registry itself.

# %% id="undo"
# %kubectl rollout undo deployment/blocked

# %% id="heal"
cluster.registry.heal("registry.k8s.io")
# %kubectl rollout status deployment/blocked

# %% [markdown] id="heal-why"
# Nobody told the kubelet that the registry is back. It tried again when its back-off was over, and this time it worked.
# That is how all of Kubernetes works: look, compare, act, and look again.

# %% [markdown] id="scale"
# ## More of it
#
# Three copies instead of one:

# %% id="scale-up"
# %kubectl scale deployment/hello-node --replicas=3

# %% id="scale-status"
# %kubectl rollout status deployment/hello-node

# %% id="scale-pods"
# %kubectl get pods -l app=hello-node -o wide

# %% [markdown] id="other"
# ## What else is in the cluster
#
# `-n kube-system` is where Kubernetes keeps its own programs. Here no program is in it: the control plane runs outside of its own Pods.
# minikube shows the dashboard and the metrics server there; k8slab draws its own pictures in later chapters.

# %% id="kube-system"
# %kubectl get pod,svc -n kube-system

# %% id="api-version"
# %kubectl get --raw /version

# %% [markdown] id="history-intro"
# Every change of the cluster is in its history: who wrote what, and when. These are the changes of the first Deployment.

# %% id="history"
cluster.history().of("deployments/hello-node")[:8]

# %% [markdown] id="code"
# ## How the code does it
#
# The back-off that you saw is a table with a number for each key. This is the code that ran:

# %% id="show-backoff"
from k8slab.client.backoff import Backoff
from k8slab.lab import show

show(Backoff.failed)

# %% [markdown] id="code-rs"
# And this is how a ReplicaSet finds out what to do:

# %% id="show-manage"
from k8slab.controllers.replicaset import ReplicaSetController

show(ReplicaSetController._manage)

# %% [markdown] id="docker"
# ## The same on Docker
#
# Where a Docker Engine runs, the same cluster starts real containers:
#
# ```python
# cluster = Cluster(nodes=3, runtime="docker", mode="live")
# ```
#
# `mode="live"` lets real time pass. In a terminal, `k8slab start --runtime docker` does the same, and adds a context to your kubeconfig:
#
# ```console
# $ k8slab start --detach
# $ kubectl get nodes
# $ k8slab delete
# ```

# %% [markdown] id="clean-up"
# ## Clean up

# %% id="delete"
# %kubectl delete deployment hello-node blocked

# %% id="gone"
cluster.run_for("30s")
# %kubectl get deployments,replicasets,pods

# %% [markdown] id="gc"
# You deleted two Deployments. The garbage collector deleted what they owned.

# %% id="close"
cluster.close()

# %% [markdown] id="exercise"
# ## Exercise
#
# [Predict and repair an ImagePullBackOff](../exercises/01_hello_cluster/image_pull_backoff.ipynb): about 15 minutes.
#
# ## What real Kubernetes does besides
#
# - Its control plane often runs in Pods of its own, in `kube-system`.
# - A kubelet keeps pulled images, and removes them when the disk fills up.
# - `kubectl expose` gives a Deployment an address. Here a Service gets one too, but nothing forwards to it yet.
#
# ## Where to read on
#
# - [Hello Minikube](https://kubernetes.io/docs/tutorials/hello-minikube/)
# - [Images](https://kubernetes.io/docs/concepts/containers/images/): pull policies, and `ImagePullBackOff`
# - [Deployments](https://kubernetes.io/docs/concepts/workloads/controllers/deployment/)
