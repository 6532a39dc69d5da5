# %% [markdown] id="title"
# # Exercise: the way to a Pod
#
# Six points. About 20 minutes. You need chapter 02.
#
# A Pod has an address that only the cluster knows. But the API server can pass a request on to it.
# You write the function that gives the way, and the one that goes it.

# %% id="setup"
from k8slab.lab.checks import pod_path as check

cluster = check.deployed()
cluster.kubectl("get deployments,pods")

# %% [markdown] id="raw"
# `kubectl get --raw` asks the API server for a path, and prints what comes back:

# %% id="version"
cluster.kubectl("get --raw /version")

# %% [markdown] id="path"
# ## 1. The path
#
# Every object has a path of its own. A Pod's is `/api/v1/namespaces/NAMESPACE/pods/NAME`.
# The Pod's *proxy* path begins in the same way, and chapter 02 shows the rest.
#
# Write `path_of`. It gets
#
# - `pod`: a Pod as `kubectl get pod NAME -o json` has it, a dictionary;
# - `port`: the number of the port on which the program in the Pod listens;
# - `path`: what to ask that program for. It begins with a slash, and may have a query: `/echo?msg=hello`.
#
# It returns the path for `kubectl get --raw`. It must lead straight to the answer: `curl` follows no redirects unless you say so.


# %% id="path-function" nbgrader={"grade": false, "grade_id": "path", "locked": false, "schema_version": 3, "solution": true, "task": false}
def path_of(pod, port, path="/"):
    ### BEGIN SOLUTION
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    return f"/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}"
    ### END SOLUTION


# %% [markdown] id="check-path"
# The judge asks for your paths in a cluster of its own, with other Pods too. `check.PATH.hint(1)` to `hint(3)` help.

# %% id="path-points" nbgrader={"grade": true, "grade_id": "path-points", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
result = check.check_path(path_of)
print(result)
result.points

# %% [markdown] id="reach"
# ## 2. The answer
#
# The Pod's name is another one in every cluster. A go-template prints it:

# %% id="template"
template = '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'
cluster.kubectl(["get", "pods", "-o", f"go-template={template}"])

# %% [markdown] id="reach-task"
# Write `reach`. It finds the name of a Pod of the app `kubernetes-bootcamp` in a namespace, by a go-template.
# It returns what the app in it answers on port 8080, as a text.
#
# `cluster` has only `kubectl` and `run_for` here.
# The app's Pods have the label `app=kubernetes-bootcamp`. There may be several, and Pods of others beside them.


# %% id="reach-function" nbgrader={"grade": false, "grade_id": "reach", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reach(cluster, namespace="default"):
    ### BEGIN SOLUTION
    label, template = "app=kubernetes-bootcamp", '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'
    found = cluster.kubectl(["get", "pods", "-n", namespace, "-l", label, "-o", f"go-template={template}"])
    name = found.stdout.split()[0]
    path = path_of({"metadata": {"name": name, "namespace": namespace}}, 8080)
    return cluster.kubectl(["get", "--raw", path]).stdout
    ### END SOLUTION


# %% id="try"
print(reach(cluster))

# %% [markdown] id="check-reach"
# The judge plays it in three clusters of its own. `check.REACH.hint(1)` to `hint(3)` help.

# %% id="reach-points" nbgrader={"grade": true, "grade_id": "reach-points", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
result = check.check_reach(reach)
print(result)
result.points

# %% id="close"
cluster.close()
