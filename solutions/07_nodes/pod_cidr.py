# %% [markdown] id="title"
# # Exercise: a range for every node
#
# Six points. About 20 minutes. You need chapter 07.
#
# Each node gets a range of addresses for its Pods, its podCIDR.
# You write the two functions by which the ranges are found, and put the second one into a cluster.

# %% id="setup"
from k8slab.lab.checks import pod_cidr as check

# %% [markdown] id="cidr"
# ## 1. The range with a number
#
# An address such as `10.244.3.17` is a number of 32 bits, written in four parts of 8.
# `10.244.0.0/16` means: the first 16 bits are given, the others are free.
# A cluster cuts such a range into equal parts, which have a longer *mask*: of `/24`, for example.
#
#     part 0: 10.244.0.0/24    part 1: 10.244.1.0/24    part 2: 10.244.2.0/24 ...
#
# Write `cidr_of(cluster_cidr, mask, number)`. It returns the part with this number, as a text.
# The mask is not always 24: a part of `/26` has 64 addresses.
#
# Python's `ipaddress` makes a number of an address, and the other way round:

# %% id="ipaddress"
import ipaddress

number = int(ipaddress.ip_address("10.244.0.0"))
print(number, ipaddress.ip_address(number + 3))
print(ipaddress.ip_network("10.244.0.0/16").network_address)


# %% id="cidr-function" nbgrader={"grade": false, "grade_id": "cidr", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cidr_of(cluster_cidr, mask, number):
    ### BEGIN SOLUTION
    first = int(ipaddress.ip_network(cluster_cidr).network_address)
    size = 2 ** (32 - mask)
    return f"{ipaddress.ip_address(first + number * size)}/{mask}"
    ### END SOLUTION


# %% [markdown] id="check-cidr"
# `check.CIDR.hint(1)` to `hint(3)` help.

# %% id="cidr-points" nbgrader={"grade": true, "grade_id": "cidr-points", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
result = check.check_cidr(cidr_of)
print(result)
result.points

# %% [markdown] id="next"
# ## 2. The next free number
#
# Write `next_free(taken, count, start)`:
#
# - `taken`: the numbers of the parts that nodes have, a set;
# - `count`: how many parts there are; they have the numbers 0 to `count - 1`;
# - `start`: where to begin to look: behind the part that was given last.
#
# It returns the first number at or behind `start` that is free.
# Behind the last number comes 0 again.
# If all are taken, it returns `None`.
#
# Three rules follow from this:
#
# - no two nodes ever have the same range;
# - a range that was given back is given again only when all others have had their turn;
# - as long as one is free, a node gets one.


# %% id="next-function" nbgrader={"grade": false, "grade_id": "next", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_free(taken, count, start):
    ### BEGIN SOLUTION
    for offset in range(count):
        number = (start + offset) % count
        if number not in taken:
            return number
    return None
    ### END SOLUTION


# %% [markdown] id="try-intro"
# This cluster's node IPAM controller asks your function.
# A node without a range is not ready:

# %% id="try"
with check.practice(next_free) as cluster:
    print(cluster.kubectl("get nodes -o custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR"))
    print(cluster.kubectl("get nodes"))

# %% [markdown] id="check-next"
# The judge puts it into clusters of its own: with other seeds, with nodes that come and go, with a watch that tells late, and with too few ranges.
# `check.ALLOCATION.hint(1)` to `hint(3)` help.

# %% id="next-points" nbgrader={"grade": true, "grade_id": "next-points", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
result = check.check_allocation(next_free)
print(result)
result.points

# %% [markdown] id="compare"
# This is Kubernetes' way too. The rest of the controller is a page:

# %% id="show"
from k8slab.controllers.node_ipam import NodeIpamController
from k8slab.lab import show

show(NodeIpamController.reconcile)
