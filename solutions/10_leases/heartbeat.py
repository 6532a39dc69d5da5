# %% [markdown] id="title"
# # Exercise: keep a node alive
#
# Six points. About 25 minutes. You need chapter 10.
#
# A node lives as long as its Lease is renewed.
# You write the part of the kubelet that does it, and it will beat in real kubelets: with a server that fails, with others who write to the same object, and on a line that is cut.

# %% id="setup"
from k8slab.api.coordination import Lease
from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.clock import to_rfc3339_micro
from k8slab.lab.checks import heartbeat as check

NAMESPACE = "kube-node-lease"

# %% [markdown] id="task"
# ## Write `Heartbeat`
#
# A kubelet makes one `Heartbeat` when it starts, and calls `renew` each time when `next_renewal` has come.
# `renew` has to
#
# - set `next_renewal`, ten seconds on;
# - write the node's Lease, `kube-node-lease/NODE`: `holderIdentity` (the node's name), `leaseDurationSeconds` (40), `renewTime` (now, by `self.clock`);
# - create the Lease if it is not there. Its `metadata.ownerReferences` names the Node: `{"apiVersion": "v1", "kind": "Node", "name": ..., "uid": node_uid}`;
# - return, whatever happens. An error that leaves `renew` is a fault of yours.
#
# What you need of the client:
#
# - `self.client.patch(Lease, name, NAMESPACE, {"spec": {...}})` changes some fields;
# - `self.client.create(Lease, {"metadata": {...}, "spec": {...}}, NAMESPACE)` makes an object;
# - `self.client.raw("GET", Lease.resource.path(NAMESPACE, name))` reads it, as a dictionary;
# - `self.client.update(Lease, obj)` puts a whole object in its place.
#
# Each raises an `ApiError` if it fails: `NotFound`, `AlreadyExists`, `Conflict`, or another one, such as 503.
# A time becomes text by `to_rfc3339_micro(self.clock.now())`.
#
# Think of five things before you begin.
# What if the request fails?
# What if somebody else has changed the Lease since you read it, or has deleted it?
# What if the kubelet was started again, and the Lease is there?
# What if nobody answers for a minute?


# %% id="heartbeat-class" nbgrader={"grade": false, "grade_id": "heartbeat", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Heartbeat:
    def __init__(self, node, client, clock, chance):
        self.node, self.client, self.clock = node, client, clock
        self.next_renewal = clock.now()

    def renew(self, node_uid):
        ### BEGIN SOLUTION
        now = self.clock.now()
        self.next_renewal = now + 10
        spec = {"holderIdentity": self.node, "leaseDurationSeconds": 40, "renewTime": to_rfc3339_micro(now)}
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.node, "uid": node_uid}
        metadata = {"name": self.node, "namespace": NAMESPACE, "ownerReferences": [owner]}
        for _ in range(5):
            try:
                self.client.patch(Lease, self.node, NAMESPACE, {"spec": spec})
                return
            except NotFound:
                try:
                    self.client.create(Lease, {"metadata": metadata, "spec": spec}, NAMESPACE)
                    return
                except ApiError:
                    pass
            except ApiError:
                pass
        ### END SOLUTION


# %% [markdown] id="try-intro"
# Try it in a cluster of two nodes.

# %% id="try"
with check.practice(Heartbeat) as cluster:
    cluster.run_for("35s")
    print(cluster.kubectl("get leases -n kube-node-lease"))
    print(cluster.history().of("kube-node-lease"))

# %% [markdown] id="check-heartbeat"
# The judge has six clusters of its own. `check.HEARTBEAT.hint(1)` to `hint(3)` help.

# %% id="heartbeat-points" nbgrader={"grade": true, "grade_id": "heartbeat-points", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
result = check.check_heartbeat(Heartbeat)
print(result)
result.points
