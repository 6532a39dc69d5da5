"""The roles that every cluster has, and who is bound to them.

`admin`, `edit` and `view` hold nothing by themselves: they gather the rules of the roles that carry their label, so that
whoever brings a new kind can bring its rules along (`gathered_by` below). The roles of the controllers are in
`controller_roles.py`.

Models: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, namespace_policy.go. Left out: roles of parts that k8slab
does not have (heapster, kube-dns, CSI, certificate approvers), and the retired group `extensions`.
"""

from __future__ import annotations

from collections.abc import Mapping

LEFT_OUT = (
    "Of upstream's default roles those are here that matter to the components that there are; none of them is namespaced.",
)

EVENTS = "create patch update: events events.events.k8s.io"
NOT_MUTATING = """
    create: tokenreviews.authentication.k8s.io
    create: subjectaccessreviews.authorization.k8s.io
"""

NODE_RULES = f"""{NOT_MUTATING}
    create: localsubjectaccessreviews.authorization.k8s.io
    get list watch: services
    create get list patch update watch: nodes
    patch update: nodes/status
    create patch update: events
    create delete get list watch: pods
    patch update: pods/status
    create: pods/eviction
    get list watch: configmaps secrets
    get: persistentvolumeclaims persistentvolumes endpoints
    get patch update: persistentvolumeclaims/status
    create get list watch: certificatesigningrequests.certificates.k8s.io
    create delete get patch update: leases.coordination.k8s.io
    create: serviceaccounts/token
    get: volumeattachments.storage.k8s.io
    get list watch: csidrivers.storage.k8s.io runtimeclasses.node.k8s.io
    create delete get patch update: csinodes.storage.k8s.io
"""

WRITE = "create delete deletecollection patch update"
READ = "get list watch"

ROLES: Mapping[str, str] = {
    "cluster-admin": """
        *: *
        *: paths
    """,
    "system:aggregate-to-admin": f"""
        create: localsubjectaccessreviews.authorization.k8s.io
        {READ} {WRITE}: rolebindings.rbac.authorization.k8s.io roles.rbac.authorization.k8s.io
    """,
    "system:aggregate-to-edit": f"""
        {READ}: pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy
        impersonate: serviceaccounts
        {WRITE}: pods pods/attach pods/exec pods/portforward pods/proxy
        create: pods/eviction
        {WRITE}: configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets
        {WRITE}: serviceaccounts services services/proxy
        create: serviceaccounts/token
        {WRITE}: daemonsets.apps deployments.apps deployments.apps/rollback deployments.apps/scale replicasets.apps
        {WRITE}: replicasets.apps/scale statefulsets.apps statefulsets.apps/scale
        {WRITE}: horizontalpodautoscalers.autoscaling cronjobs.batch jobs.batch poddisruptionbudgets.policy
        {WRITE}: ingresses.networking.k8s.io networkpolicies.networking.k8s.io
        {READ} {WRITE}: leases.coordination.k8s.io
    """,
    "system:aggregate-to-view": f"""
        {READ}: configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers
        {READ}: replicationcontrollers/scale serviceaccounts services services/status
        {READ}: bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status
        {READ}: resourcequotas resourcequotas/status namespaces endpointslices.discovery.k8s.io
        {READ}: controllerrevisions.apps daemonsets.apps daemonsets.apps/status deployments.apps deployments.apps/scale
        {READ}: deployments.apps/status replicasets.apps replicasets.apps/scale replicasets.apps/status
        {READ}: statefulsets.apps statefulsets.apps/scale statefulsets.apps/status
        {READ}: horizontalpodautoscalers.autoscaling horizontalpodautoscalers.autoscaling/status
        {READ}: cronjobs.batch cronjobs.batch/status jobs.batch jobs.batch/status
        {READ}: poddisruptionbudgets.policy poddisruptionbudgets.policy/status
        {READ}: ingresses.networking.k8s.io ingresses.networking.k8s.io/status networkpolicies.networking.k8s.io
    """,
    "system:auth-delegator": NOT_MUTATING,
    "system:basic-user": """
        create: selfsubjectaccessreviews.authorization.k8s.io selfsubjectrulesreviews.authorization.k8s.io
        create: selfsubjectreviews.authentication.k8s.io
    """,
    "system:discovery": """
        get: /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/
    """,
    "system:kube-aggregator": "get list watch: endpoints services",
    "system:kube-controller-manager": f"""{NOT_MUTATING}
        {EVENTS}
        create: leases.coordination.k8s.io
        get patch update: leases.coordination.k8s.io [kube-controller-manager]
        create update: secrets serviceaccounts
        delete: secrets
        get: configmaps namespaces secrets serviceaccounts
        create: serviceaccounts/token
        list watch: *
    """,
    "system:kube-scheduler": f"""{NOT_MUTATING}
        {EVENTS}
        create list watch: leases.coordination.k8s.io
        get patch update: leases.coordination.k8s.io [kube-scheduler]
        get list watch: nodes namespaces replicationcontrollers services persistentvolumeclaims persistentvolumes
        delete get list watch: pods
        create: bindings pods/binding
        patch update: pods/status
        get list watch: replicasets.apps statefulsets.apps poddisruptionbudgets.policy
        get list watch: csinodes.storage.k8s.io csidrivers.storage.k8s.io csistoragecapacities.storage.k8s.io
    """,
    "system:kubelet-api-admin": """
        get list watch proxy: nodes
        *: nodes/log nodes/metrics nodes/proxy nodes/stats
    """,
    "system:monitoring": """
        get: /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*
    """,
    "system:node": NODE_RULES,
    "system:node-proxier": f"""
        list watch: endpoints services endpointslices.discovery.k8s.io
        get list watch: nodes
        {EVENTS}
    """,
    "system:public-info-viewer": "get: /healthz /livez /readyz /version /version/",
    "system:service-account-issuer-discovery": "get: /.well-known/openid-configuration /openid/v1/jwks",
    "system:volume-scheduler": """
        get list patch update watch: persistentvolumes persistentvolumeclaims
        get list watch: storageclasses.storage.k8s.io
    """,
}

AGGREGATE_TO = "rbac.authorization.k8s.io/aggregate-to-"
GATHERED: Mapping[str, tuple[str, ...]] = {
    "view": ("system:aggregate-to-view",),
    "edit": ("system:aggregate-to-edit", "view"),
    "admin": ("edit", "system:aggregate-to-admin"),
}
"""The roles that are made of others: these carry the label `aggregate-to-<role>: "true"`."""

BINDINGS: Mapping[str, str] = {
    "cluster-admin": "Group system:masters",
    "system:basic-user": "Group system:authenticated",
    "system:discovery": "Group system:authenticated",
    "system:kube-controller-manager": "User system:kube-controller-manager",
    "system:kube-scheduler": "User system:kube-scheduler",
    "system:monitoring": "Group system:monitoring",
    "system:node-proxier": "User system:kube-proxy",
    "system:public-info-viewer": "Group system:authenticated, Group system:unauthenticated",
    "system:service-account-issuer-discovery": "Group system:serviceaccounts",
    "system:volume-scheduler": "User system:kube-scheduler",
}
"""Who is bound to a role, everywhere. Nobody is bound to `system:node`: the node authorizer decides about kubelets."""

OWN_CONTROLLERS = "k8slab:controllers"
"""k8slab's own: a group for controllers that stand in for others, such as a learner's. They may do everything."""

EXTRA_BINDINGS: Mapping[str, tuple[str, str]] = {
    OWN_CONTROLLERS: ("cluster-admin", f"Group {OWN_CONTROLLERS}"),
}
"""Bindings that are not called like their role."""
