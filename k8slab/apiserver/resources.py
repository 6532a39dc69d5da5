"""The table of resources: every kind that an API server serves.

One row is all that a kind needs to be validated, stored, listed and watched; what it does besides is in its strategy and in
the controllers. A row is `plural Kind short,names +subresource ...`. The rows here are built in; those that
CustomResourceDefinitions add, server by server, are made in `custom/`, and carry their schema and rules with them.

Models: pkg/controlplane/instance.go (the storage providers), and what a real server's discovery says of each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8slab.apimachinery.scheme import Resource

if TYPE_CHECKING:
    from k8slab.apiserver.custom.kind import CustomKind

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE_ONLY = ("create",)


@dataclass(frozen=True, slots=True)
class ResourceInfo(Resource):
    """A row of the table."""

    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    storage: str = ""
    """The group whose keys it shares, for a kind that lives in two groups (events)."""
    singular: str = field(default="")
    list_kind: str = ""
    """What a list of them is called; empty: the kind with `List` at its end."""
    by_group: bool = False
    """Whether the keys of its objects begin with its group, as those of custom kinds do."""
    custom: CustomKind | None = None
    """What a CustomResourceDefinition says of the kind; None: it is built in."""

    @property
    def key_prefix(self) -> str:
        """Where its objects are in etcd: `/registry/pods/`; custom ones at `/registry/stable.example.com/crontabs/`.

        As upstream, where a group has a dot, and no built-in plural has one.
        """
        return f"/registry/{self.group}/{self.plural}/" if self.by_group else f"/registry/{self.plural}/"

    @property
    def kind_of_list(self) -> str:
        """The kind of a list of them."""
        return self.list_kind or self.kind + "List"

    @property
    def is_view(self) -> bool:
        """Whether it shows what is stored as a kind of another group."""
        return self.storage != self.group

    @property
    def group_plural(self) -> tuple[str, str]:
        """(group, plural): how strategies are found."""
        return self.group, self.plural


# A line is one kind. `~` marks a kind outside namespaces, `!` one that is only ever created (a question to the server);
# `@all` puts it into `kubectl get all`.
_TABLE: Mapping[str, str] = {
    "v1": """
        bindings Binding !
        configmaps ConfigMap cm
        endpoints Endpoints ep
        events Event ev
        limitranges LimitRange limits
        namespaces Namespace ns ~ +status +finalize
        nodes Node no ~ +status +proxy
        persistentvolumeclaims PersistentVolumeClaim pvc +status
        persistentvolumes PersistentVolume pv ~ +status
        pods Pod po @all +status +log +exec +attach +portforward +binding +eviction +ephemeralcontainers +proxy
        podtemplates PodTemplate
        replicationcontrollers ReplicationController rc @all +status +scale
        resourcequotas ResourceQuota quota +status
        secrets Secret
        serviceaccounts ServiceAccount sa +token
        services Service svc @all +status +proxy
    """,
    "admissionregistration.k8s.io/v1": """
        mutatingadmissionpolicies MutatingAdmissionPolicy ~
        mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding ~
        mutatingwebhookconfigurations MutatingWebhookConfiguration ~
        validatingadmissionpolicies ValidatingAdmissionPolicy ~ +status
        validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding ~
        validatingwebhookconfigurations ValidatingWebhookConfiguration ~
    """,
    "apiextensions.k8s.io/v1": "customresourcedefinitions CustomResourceDefinition crd,crds ~ +status",
    "apiregistration.k8s.io/v1": "apiservices APIService ~ +status",
    "apps/v1": """
        controllerrevisions ControllerRevision
        daemonsets DaemonSet ds @all +status
        deployments Deployment deploy @all +status +scale
        replicasets ReplicaSet rs @all +status +scale
        statefulsets StatefulSet sts @all +status +scale
    """,
    "authentication.k8s.io/v1": """
        selfsubjectreviews SelfSubjectReview ! ~
        tokenreviews TokenReview ! ~
    """,
    "authorization.k8s.io/v1": """
        localsubjectaccessreviews LocalSubjectAccessReview !
        selfsubjectaccessreviews SelfSubjectAccessReview ! ~
        selfsubjectrulesreviews SelfSubjectRulesReview ! ~
        subjectaccessreviews SubjectAccessReview ! ~
    """,
    "autoscaling/v2": "horizontalpodautoscalers HorizontalPodAutoscaler hpa @all +status",
    "batch/v1": """
        cronjobs CronJob cj @all +status
        jobs Job @all +status
    """,
    "certificates.k8s.io/v1": "certificatesigningrequests CertificateSigningRequest csr ~ +approval +status",
    "coordination.k8s.io/v1": "leases Lease",
    "discovery.k8s.io/v1": "endpointslices EndpointSlice",
    "events.k8s.io/v1": "events Event ev",
    "flowcontrol.apiserver.k8s.io/v1": """
        flowschemas FlowSchema ~ +status
        prioritylevelconfigurations PriorityLevelConfiguration ~ +status
    """,
    "networking.k8s.io/v1": """
        ingressclasses IngressClass ~
        ingresses Ingress ing +status
        ipaddresses IPAddress ip ~
        networkpolicies NetworkPolicy netpol
        servicecidrs ServiceCIDR ~ +status
    """,
    "node.k8s.io/v1": "runtimeclasses RuntimeClass ~",
    "policy/v1": "poddisruptionbudgets PodDisruptionBudget pdb +status",
    "rbac.authorization.k8s.io/v1": """
        clusterrolebindings ClusterRoleBinding ~
        clusterroles ClusterRole ~
        rolebindings RoleBinding
        roles Role
    """,
    "resource.k8s.io/v1": """
        deviceclasses DeviceClass ~
        resourceclaims ResourceClaim +status
        resourceclaimtemplates ResourceClaimTemplate
        resourceslices ResourceSlice ~
    """,
    "scheduling.k8s.io/v1": "priorityclasses PriorityClass pc ~",
    "storage.k8s.io/v1": """
        csidrivers CSIDriver ~
        csinodes CSINode ~
        csistoragecapacities CSIStorageCapacity
        storageclasses StorageClass sc ~
        volumeattachments VolumeAttachment ~ +status
        volumeattributesclasses VolumeAttributesClass vac ~
    """,
}

# Keys that do not follow the rule `/registry/<plural>/`: the same kind in two groups shares one place.
_STORED_WITH = {("events.k8s.io", "events"): ""}


def _row(api_version: str, line: str) -> ResourceInfo:
    group, _, version = api_version.rpartition("/")
    plural, kind, *marks = line.split()
    short_names = next((tuple(mark.split(",")) for mark in marks if mark[0].isalpha()), ())
    shared = _STORED_WITH.get((group, plural))
    return ResourceInfo(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        namespaced="~" not in marks,
        short_names=short_names,
        categories=("all",) if "@all" in marks else (),
        subresources=tuple(mark[1:] for mark in marks if mark[0] == "+"),
        verbs=CREATE_ONLY if "!" in marks else VERBS,
        storage=group if shared is None else shared,
        singular=kind.lower(),
    )


RESOURCES: Mapping[tuple[str, str], ResourceInfo] = {
    (row.group, row.plural): row
    for api_version, lines in _TABLE.items()
    for row in (_row(api_version, line) for line in lines.strip().splitlines())
}
"""Every resource, by (group, plural)."""


class ResourceTable:
    """All the resources that a server serves. It never changes: when a definition comes or goes, there is a new one."""

    def __init__(self, rows: Iterable[ResourceInfo]) -> None:
        self.rows = tuple(rows)
        self.group_versions = tuple(dict.fromkeys((row.group, row.version) for row in self.rows))
        """Every (group, version) served: the core group first, of each group the preferred version first."""
        self.groups = tuple(dict.fromkeys(group for group, _ in self.group_versions if group))
        """Every group with a name."""
        self._by_address = {(row.group, row.version, row.plural): row for row in self.rows}

    def find(self, group: str, version: str, plural: str) -> ResourceInfo | None:
        """One row, None if that is not served."""
        return self._by_address.get((group, version, plural))

    def of(self, group: str, version: str) -> list[ResourceInfo]:
        """The rows of one group and version, in the table's order; empty if there is none."""
        return [row for row in self.rows if (row.group, row.version) == (group, version)]


BUILT_IN = ResourceTable(RESOURCES.values())
"""What every server serves."""
