"""The judge of "The way to a Pod".

The API server passes requests on to Pods. The path of such a request names the namespace, the Pod and the port, and then comes
the path that the Pod sees. The judge asks its own cluster for what a learner's path leads to: a path is right if the right
Pod gives the right answer. Only when it does not is the path read, to say what is missing.

`reach` is played in several clusters, with kubectl alone: other names, other Pods, more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from k8slab.api.apps import Deployment
from k8slab.api.core import Namespace, Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, raised, shown
from k8slab.lab.checks.hands import Hands
from k8slab.lab.checks.manifests import AGNHOST, BOOTCAMP, NGINX, deployment, pod, web_server
from k8slab.lab.cluster import Cluster
from k8slab.loop.kubectl import KubectlResult

APP, PORT = "kubernetes-bootcamp", 8080
SEED = 4
START_SECONDS = 20.0


def deployed() -> Cluster:
    """A cluster in which the tutorial's app runs, in one Pod."""
    cluster = Cluster(nodes=2, seed=SEED)
    cluster.kubectl(f"create deployment {APP} --image={BOOTCAMP}").check()
    cluster.run_until_idle()
    return cluster


def check_path(path_of: Any) -> Result:
    """Ask for what `path_of(pod, port, path)` leads to. 3 points."""
    return PATH(_Asked(path_of))


def check_reach(reach: Any) -> Result:
    """Let `reach(cluster, namespace)` find the app in clusters of the judge's own. 3 points."""
    return REACH(_Reached(reach))


# The path.


@dataclass(frozen=True, slots=True)
class Case:
    """One Pod to find the way to."""

    namespace: str
    app: str
    """The Pod's label `app`."""
    port: int
    path: str
    """What the Pod is to be asked; empty: whatever `path_of` takes for it."""
    answers: str
    """What the answer holds; `{pod}` is the Pod's name."""


CASES: Mapping[str, tuple[Case, ...]] = {
    "the Pod's own page": (Case("default", APP, PORT, "", "Running on: {pod} "),),
    "other namespaces and ports": (
        Case("team", "greeter", PORT, "/hostname", "{pod}"),
        Case("default", "greeter", 9000, "/hostname", "{pod}"),
    ),
    "a path with a query": (Case("team", "greeter", PORT, "/echo?msg=hello&code=200", "hello"),),
}


class _Asked:
    """The learner's paths, each asked for in a cluster of its own."""

    def __init__(self, path_of: Any) -> None:
        self._path_of = path_of

    def judge(self, case: Case) -> None:
        """Ask. Raises Fault if the right Pod does not give the right answer."""
        check_callable("path_of", self._path_of)
        with _world_of_paths() as cluster:
            found = cluster.client.raw(
                "GET", Pod.resource.path(case.namespace), query={"labelSelector": f"app={case.app}"}
            )
            there: JsonObject = deepcopy(found["items"][0])
            arguments = (there, case.port, case.path) if case.path else (there, case.port)
            path = self._path_of(*arguments)
            if not isinstance(path, str):
                raise Fault(f"`path_of` should return a text, but what it returned is {shown(path)}")
            code, answer = _ask(cluster, path)
        if code != 200 or case.answers.format(pod=there["metadata"]["name"]) not in answer:
            raise Fault(f"{_wrong_with(path, case, there)}. Your path: {path}; the answer: {code} {answer.strip()}")


def _world_of_paths() -> Cluster:
    """A cluster with the Pods of all cases."""
    cluster = Cluster(nodes=2, seed=SEED + 1)
    cluster.client.create(Namespace, {"metadata": {"name": "team"}})
    cluster.client.create(Deployment, deployment(APP, BOOTCAMP), "default")
    cluster.client.create(Pod, pod("greeter", AGNHOST, web_server(PORT)), "team")
    cluster.client.create(Pod, pod("greeter", AGNHOST, web_server(9000)), "default")
    cluster.run_for(START_SECONDS)
    return cluster


def _ask(cluster: Cluster, path: str) -> tuple[int, str]:
    """(code, text) of what a path leads to. No redirect is followed."""
    path, _, query = path.partition("?")
    try:
        response = cluster.client.request("GET", path, query=dict(parse_qsl(query)))
    except ApiError as error:
        return int(error.status["code"]), error.message
    return response.code, response.payload().decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Reading:
    """A path, read beside what it should lead to."""

    path: str
    case: Case
    pod: str

    @property
    def segment(self) -> str:
        """What stands after `pods/`: the name, and perhaps a port."""
        return self.path.partition("/pods/")[2].partition("/")[0]

    @property
    def namespace(self) -> str:
        """What stands after `namespaces/`."""
        return self.path.partition("/namespaces/")[2].partition("/")[0]

    @property
    def rest(self) -> str:
        """What stands after `/proxy`."""
        return self.path.partition("/proxy")[2]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that a path can lack."""

    made: Callable[[Reading], bool]
    says: Callable[[Reading], str]


MISTAKES = (
    Mistake(
        lambda seen: "/namespaces/" not in seen.path,
        lambda seen: f"the path does not say in which namespace the Pod is; it is in {seen.case.namespace!r}",
    ),
    Mistake(
        lambda seen: seen.namespace != seen.case.namespace,
        lambda seen: f"the Pod is in the namespace {seen.case.namespace!r}, and the path asks in {seen.namespace!r}",
    ),
    Mistake(
        lambda seen: "/pods/" not in seen.path,
        lambda seen: "only a Pod can answer: after the namespace comes `pods/`, and the Pod's name",
    ),
    Mistake(
        lambda seen: seen.segment.partition(":")[0] == seen.case.app != seen.pod,
        lambda seen: f"{seen.case.app!r} is the Deployment. Nothing runs in a Deployment: name its Pod, {seen.pod!r}",
    ),
    Mistake(
        lambda seen: "/proxy" not in seen.path,
        lambda seen: "without `proxy` the API server reads an object of its own, and asks no Pod",
    ),
    Mistake(
        lambda seen: ":" not in seen.segment,
        lambda seen: f"without a port the API server tries port 80, but the program listens on {seen.case.port}",
    ),
    Mistake(
        lambda seen: not seen.segment.endswith(f":{seen.case.port}"),
        lambda seen: f"the program listens on port {seen.case.port}, and the path names another one",
    ),
    Mistake(
        lambda seen: not seen.rest,
        lambda seen: (
            "the path ends in `proxy` without a slash, so the API server only sends you on (301) to the same with one"
        ),
    ),
    Mistake(
        lambda seen: seen.rest.startswith("//"),
        lambda seen: "there are two slashes after `proxy`, so the Pod is asked for another path than it knows",
    ),
    Mistake(
        lambda seen: seen.case.path not in seen.path,
        lambda seen: f"after `proxy` comes what the Pod is asked, unchanged: {seen.case.path}",
    ),
)


def _wrong_with(path: str, case: Case, there: JsonObject) -> str:
    """The first thing that a path lacks."""
    seen = Reading(path, case, there["metadata"]["name"])
    for mistake in MISTAKES:
        if mistake.made(seen):
            return mistake.says(seen)
    return "the Pod does not answer there"


def _judge_cases(name: str) -> Callable[[_Asked], None]:
    def judge(asked: _Asked) -> None:
        for case in CASES[name]:
            asked.judge(case)

    return judge


PATH = Check(
    [
        Criterion(name, 1, _judge_cases(name), needs="" if place == 0 else next(iter(CASES)))
        for place, name in enumerate(CASES)
    ],
    hints=[
        "A Pod's own path is `/api/v1/namespaces/NAMESPACE/pods/NAME`. Its name and namespace are in its `metadata`.",
        "The port stands at the name, behind a colon: `NAME:PORT`. After it comes `/proxy`, and then what the Pod is asked.",
        "f'/api/v1/namespaces/{...}/pods/{...}:{port}/proxy{path}', and `path` begins with a slash: nothing stands between.",
    ],
)


# Reaching the app.


@dataclass(frozen=True, slots=True)
class World:
    """A cluster in which the app is to be found."""

    category: str
    seed: int
    namespace: str = "default"
    replicas: int = 1
    neighbours: tuple[str, ...] = ()
    """Other programs in the same namespace."""


FIRST = World("one Pod", SEED + 2)
OTHERS = (
    World("another namespace, and other Pods beside the app's", SEED + 3, "team", neighbours=("aaa", "zzz")),
    World("two Pods of the app", SEED + 4, replicas=2),
)


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one `reach`."""

    said: Any
    commands: tuple[KubectlResult, ...]
    pods: tuple[str, ...]
    """The names of the app's Pods."""


class _Reached:
    """The learner's `reach`, played once in each world."""

    def __init__(self, reach: Any) -> None:
        self._reach = reach
        self._tries: dict[World, Try] = {}

    def play(self, world: World) -> Try:
        """What it does in a world."""
        check_callable("reach", self._reach)
        if world not in self._tries:
            with _world_of_the_app(world) as cluster:
                hands = Hands(cluster)
                said = self._reach(hands, world.namespace)
                pods = [each.name for each in cluster.client.list(Pod, world.namespace, labels=f"app={APP}")]
            self._tries[world] = Try(said, tuple(hands.commands), tuple(pods))
        return self._tries[world]


def _world_of_the_app(world: World) -> Cluster:
    cluster = Cluster(nodes=2, seed=world.seed)
    if world.namespace != "default":
        cluster.client.create(Namespace, {"metadata": {"name": world.namespace}})
    cluster.client.create(Deployment, deployment(APP, BOOTCAMP, world.replicas), world.namespace)
    for name in world.neighbours:
        cluster.client.create(Pod, pod(name, NGINX), world.namespace)
    cluster.run_for(START_SECONDS)
    return cluster


def _judge_try(tried: Try) -> None:
    """Raises Fault unless one of the app's Pods has answered."""
    if isinstance(tried.said, KubectlResult):
        raise Fault("`reach` should return what the app answers: the `.stdout` of kubectl's result")
    if tried.said is None or tried.said is ...:
        raise Fault("`reach` has returned nothing; it should return what the app answers")
    if not isinstance(tried.said, str):
        raise Fault(f"`reach` should return a text, but what it returned is {shown(tried.said)}")
    if not any(f"Running on: {name} " in tried.said for name in tried.pods):
        raise Fault(f"{_wrong_with_try(tried)}. It returned {tried.said!r}")


def _wrong_with_try(tried: Try) -> str:
    raw = next(_raw_requests(tried), None)
    if raw is None:
        return "kubectl has never been asked to `get --raw` a path"
    path = " ".join(raw.args)
    if len([name for name in tried.pods if name in path]) > 1:
        return "your template prints several names, and all of them stand in the path: take one"
    if f"/pods/{APP}:" in path:
        return f"{APP!r} is the Deployment's name: only a Pod can answer"
    if not any(name in path for name in tried.pods):
        return f"the Pod that was asked is none of the app's, which have the label app={APP}"
    return f"kubectl said: {(raw.stderr or raw.stdout).strip()}"


def _raw_requests(tried: Try) -> Iterator[KubectlResult]:
    """The last one first."""
    return (each for each in reversed(tried.commands) if "--raw" in " ".join(each.args))


def _judge_first(reached: _Reached) -> None:
    _judge_try(reached.play(FIRST))


def _judge_way(reached: _Reached) -> None:
    tried = reached.play(FIRST)
    if not any("go-template" in " ".join(each.args) and each.ok for each in tried.commands):
        raise Fault(
            "the app has answered, but the Pod's name did not come from a go-template: `get pods -o go-template=...`"
        )
    if not any(any(name in " ".join(raw.args) for name in tried.pods) for raw in _raw_requests(tried)):
        raise Fault("the app's answer did not come through the API server: `kubectl get --raw` of the Pod's proxy path")


def _judge_others(reached: _Reached) -> None:
    for world in OTHERS:
        try:
            _judge_try(reached.play(world))
        except Exception as error:
            said = raised(error)
            raise Fault(f"in another cluster ({world.category}): {said}") from None


REACH = Check(
    [
        Criterion("the app answers", 1, _judge_first),
        Criterion("by a go-template and through the API server", 1, _judge_way, needs="the app answers"),
        Criterion("in other clusters too", 1, _judge_others, needs="the app answers"),
    ],
    hints=[
        "Two commands: `get pods` for the name, and `get --raw PATH` for the answer. A label finds the app's Pods alone.",
        '`get pods -l app=kubernetes-bootcamp -o go-template=...` with {{range .items}}{{.metadata.name}}{{"\\n"}}{{end}} '
        "prints one name a line; `.stdout.split()[0]` is the first. Do not forget `-n`.",
        "cluster.kubectl(['get', 'pods', '-n', namespace, '-l', '...', '-o', 'go-template=...']), then path_of with a Pod "
        "that has this name and namespace in its metadata, then cluster.kubectl(['get', '--raw', path]).stdout.",
    ],
)
