"""The first chapter's kubectl commands, as a table: what is typed, and what must be in the answer.

They run in this order on one cluster: stepped and live, on simulated containers and on Docker's.
"""

from __future__ import annotations

from dataclasses import dataclass

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"
EDITOR = "sed -i /progressDeadlineSeconds:/s/600/601/"
"""An editor for `kubectl edit` that needs no hands."""
NETEXEC = "-- /agnhost netexec --http-port=8080"

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.39
"""


@dataclass(frozen=True)
class Command:
    """One kubectl call."""

    line: str
    expect: tuple[str, ...] = ()
    """Each must be in what kubectl prints."""
    stdin: str | None = None
    fails: bool = False
    budget: float | None = None
    """Seconds after which a command that streams is interrupted."""
    env: tuple[tuple[str, str], ...] = ()


def c(line: str, *expect: str, **more) -> Command:
    return Command(line, expect, **more)


STORY = (
    c("version", "Client Version: v1.37", "Server Version: v1.37"),
    c("get nodes", "node-1", "Ready", "v1.37"),
    c("get nodes -o wide", "INTERNAL-IP", "CONTAINER-RUNTIME"),
    c(f"create deployment hello-node --image={AGNHOST} {NETEXEC}", "deployment.apps/hello-node created"),
    c(f"create deployment hello-node --image={AGNHOST}", 'deployments.apps "hello-node" already exists', fails=True),
    c("wait --for=condition=Available deployment/hello-node --timeout=120s", "condition met"),
    c("rollout status deployment/hello-node --timeout=60s", "successfully rolled out"),
    c("get deployments", "hello-node", "1/1"),
    c("get pods", "hello-node-", "Running", "1/1"),
    c("get pods -o wide", "NOMINATED NODE", "10.24"),
    c("get pods -A", "default"),
    c("get events", "Scheduled", "Pulled", "Created", "Started", "ScalingReplicaSet", "SuccessfulCreate"),
    c("get pod,svc -n kube-system", "No resources found in kube-system namespace."),
    c("get pod,svc -A", "service/kubernetes", "10.96.0.1", "443/TCP"),
    c("describe pod -l app=hello-node", "Image:", AGNHOST, "Ready", "True", "Successfully assigned default/hello-node"),
    c("describe node node-1", "Capacity:", "Conditions:", "MemoryPressure", "KubeletReady", "PodCIDR"),
    c("describe deployment hello-node", "RollingUpdateStrategy:  25% max unavailable, 25% max surge", "NewReplicaSet:"),
    c("describe rs -l app=hello-node", "Controlled By:  Deployment/hello-node", "1 Running"),
    c("logs -f deployment/hello-node", "Started HTTP server on port 8080", budget=2),
    c("logs deployment/hello-node", "Started HTTP server on port 8080"),
    c("exec deployment/hello-node -- hostname", "hello-node-"),
    c("exec -ti deployment/hello-node -- echo hello there", "hello there"),
    c("exec deployment/hello-node -- sh -c 'exit 3'", "command terminated with exit code 3", fails=True),
    c("scale deployment/hello-node --replicas=3", "deployment.apps/hello-node scaled"),
    c("rollout status deployment/hello-node --timeout=120s", "successfully rolled out"),
    c("get rs -l app=hello-node -o jsonpath={.items[*].status.readyReplicas}", "3"),
    c("get pods -w", "Running", budget=2),
    c("get pods -o name", "pod/hello-node-"),
    c("get deployment hello-node -o yaml", "kind: Deployment", "readyReplicas: 3"),
    c("get deployment hello-node -o json", '"kind": "Deployment"'),
    c("get deployment hello-node -o go-template={{.spec.replicas}}", "3"),
    c("label deployment hello-node tier=front", "deployment.apps/hello-node labeled"),
    c("label deployment hello-node tier-", "deployment.apps/hello-node unlabeled"),
    c("annotate deployment hello-node note=first", "deployment.apps/hello-node annotated"),
    c("get deployments -l tier=front", "No resources found in default namespace."),
    c("scale deployment/hello-node --replicas=1", "scaled"),
    c("apply -f -", "deployment.apps/web created", stdin=MANIFEST),
    c("apply -f -", "deployment.apps/web unchanged", stdin=MANIFEST),
    c("apply -f -", "deployment.apps/web configured", stdin=MANIFEST.replace("replicas: 2", "replicas: 3")),
    c("apply -f - --dry-run=server", "configured (server dry run)", stdin=MANIFEST),
    c("rollout status deployment/web --timeout=120s", "successfully rolled out"),
    c("set image deployment/web web=registry.k8s.io/e2e-test-images/agnhost:2.53", "deployment.apps/web image updated"),
    c("rollout status deployment/web --timeout=120s", "successfully rolled out"),
    c("rollout history deployment/web", "REVISION", "1", "2"),
    c("rollout undo deployment/web", "deployment.apps/web rolled back"),
    c("rollout status deployment/web --timeout=120s", "successfully rolled out"),
    c("get deployment web -o jsonpath={.spec.template.spec.containers[0].image}", "agnhost:2.39"),
    c("rollout restart deployment/web", "deployment.apps/web restarted"),
    c("rollout status deployment/web --timeout=120s", "successfully rolled out"),
    c("""patch deployment web -p '{"spec":{"replicas":2}}'""", "deployment.apps/web patched"),
    c("""patch deployment web --type=merge -p '{"metadata":{"labels":{"a":"b"}}}'""", "patched"),
    c("""patch deployment web --type=json -p '[{"op":"remove","path":"/metadata/labels/a"}]'""", "patched"),
    c(
        """patch deployment web --type=json -p '[{"op":"remove","path":"/nowhere"}]'""",
        "the server rejected",
        fails=True,
    ),
    c("edit deployment web", "deployment.apps/web edited", env=(("KUBE_EDITOR", EDITOR),)),
    c("get deployment web -o jsonpath={.spec.progressDeadlineSeconds}", "601"),
    c("explain deployment.spec.strategy", "FIELD: strategy", "rollingUpdate"),
    c("explain pods --recursive", "containers", "imagePullPolicy"),
    c("api-resources", "deployments", "deploy", "apps/v1", "true"),
    c("api-resources --api-group=batch -o name", "cronjobs.batch"),
    c("create deployment dry --image=nginx --dry-run=server", "deployment.apps/dry created (server dry run)"),
    c("get deployment dry", '"dry" not found', fails=True),
    c("get nothings", 'the server doesn\'t have a resource type "nothings"', fails=True),
    c("expose deployment web --port=80 --target-port=8080", "service/web exposed"),
    c("get svc web", "ClusterIP", "80/TCP"),
    c("delete svc web", 'service "web" deleted'),
    c("get --raw /version", '"gitVersion"'),
    c("get --raw /readyz?verbose", "ok"),
    c("config view", "127.0.0.1", "DATA+OMITTED"),
    c("cluster-info", "is running at"),
    c("create namespace place", "namespace/place created"),
    c("create deployment there -n place --image=registry.k8s.io/e2e-test-images/agnhost:2.39", "created"),
    c("delete namespace place --timeout=90s", 'namespace "place" deleted'),
    c("delete deployment web --cascade=orphan", 'deployment.apps "web" deleted'),
    c("get rs -l app=web", "web-"),
    c("delete rs -l app=web --cascade=foreground --timeout=90s", "deleted"),
    c("get pods -l app=web", "No resources found"),
    c("delete deployment hello-node --cascade=background", 'deployment.apps "hello-node" deleted'),
    c("wait --for=delete pod -l app=hello-node --timeout=90s"),
    c("get all", "service/kubernetes"),
)
