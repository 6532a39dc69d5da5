"""The plugins of a default scheduler: one consideration each.

Models: pkg/scheduler/apis/config/v1/default_plugins.go (order and weights). Left out: volumes and dynamic resources.
"""

from __future__ import annotations

from k8slab.scheduler.framework import Plugin
from k8slab.scheduler.plugins.default_binder import DefaultBinder
from k8slab.scheduler.plugins.default_preemption import DefaultPreemption
from k8slab.scheduler.plugins.image_locality import ImageLocality
from k8slab.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from k8slab.scheduler.plugins.node_affinity import NodeAffinity
from k8slab.scheduler.plugins.node_ports import NodePorts
from k8slab.scheduler.plugins.node_resources import NodeResourcesBalancedAllocation, NodeResourcesFit
from k8slab.scheduler.plugins.nodes import NodeName, NodeUnschedulable, TaintToleration
from k8slab.scheduler.plugins.pod_topology_spread import PodTopologySpread
from k8slab.scheduler.plugins.scheduling_gates import SchedulingGates

PLUGINS: tuple[Plugin, ...] = (
    SchedulingGates(),
    NodeUnschedulable(),
    NodeName(),
    TaintToleration(),
    NodeAffinity(),
    NodePorts(),
    NodeResourcesFit(),
    PodTopologySpread(),
    InterPodAffinity(),
    DefaultPreemption(),
    NodeResourcesBalancedAllocation(),
    ImageLocality(),
    DefaultBinder(),
)
"""In the order in which they are asked. They hold nothing: schedulers may share them."""
