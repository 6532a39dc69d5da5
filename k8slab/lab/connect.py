"""The lab's instruments on any Kubernetes cluster: minikube's, kind's, a company's.

    lab = Lab.connect()                       # the current context of your kubeconfig
    lab.ownership("deployment", "web")
    lab.timeline("pod", "web-abc")
    lab.record("30s")                         # while something happens
    lab.why("pod/web-abc", field="status.phase")

It only reads, as the user of the kubeconfig; what that user may not see is named beside the answer. What a real cluster does
not record cannot be told by anybody: the answers say so, in words. Credentials are in no answer, no error and no repr.

k8slab's own; the parts are in `observed/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import yaml

from k8slab.apimachinery.errors import ApiError
from k8slab.client.client import Client
from k8slab.client.https import ANSWER_SECONDS, Https
from k8slab.client.kubeconfig import KubeconfigError
from k8slab.client.user_config import Login, login
from k8slab.clock import parse_duration
from k8slab.lab.drawing import Table
from k8slab.lab.observed import timeline as times
from k8slab.lab.observed.answer import GraphAnswer, TimelineAnswer
from k8slab.lab.observed.events import events_about
from k8slab.lab.observed.following import Change
from k8slab.lab.observed.kinds import Kind, Kinds, discover
from k8slab.lab.observed.links import ObservedWhy
from k8slab.lab.observed.ownership import family, owners_of, ownership
from k8slab.lab.observed.read_only import ConnectError, ReadOnly
from k8slab.lab.observed.reading import IN_FULL, Reader, Seen
from k8slab.lab.observed.recording import Recorder, Recording
from k8slab.lab.observed.why import Evidence, why

__all__ = ["ConnectError", "ConnectedLab", "Lab"]


class Lab:
    """Where a lab without a cluster of its own begins."""

    @staticmethod
    def connect(
        kubeconfig: str | Path | None = None, context: str | None = None, *, timeout: float | str = ANSWER_SECONDS
    ) -> ConnectedLab:
        """A look at the cluster of a kubeconfig's current context, or of another. `timeout` is for each request.

        Without a path the files of $KUBECONFIG, or ~/.kube/config. Raises ConnectError, which says what was asked, what was
        found and what to try, where that does not lead to a server that answers.
        """
        who = _login(kubeconfig, context)
        try:
            transport = Https.of(who)
        except KubeconfigError as error:
            raise ConnectError(f"{error}; write the kubeconfig anew with the cluster's own tool") from None
        transport.timeout = parse_duration(timeout)
        only = ReadOnly(transport, who.server)
        try:
            client = Client(only, user_agent="k8slab-lab")
            return ConnectedLab(only, Reader(client, discover(client)), who.namespace, _version(client))
        except BaseException:
            only.close()
            raise


class ConnectedLab:
    """A cluster, looked at from outside. Use it as a context manager, or call `close()`.

    Kinds are named as kubectl takes them: `deploy`, `Deployment`, `deployments.apps`, `certificates.cert-manager.io`. An
    object is named by kind and name, or in one: `lab.ownership("deploy/web")`. Without a namespace it is the context's. All
    methods raise ValueError for what is not there, and ObservedError for what may not be seen.
    """

    def __init__(self, transport: ReadOnly, reader: Reader, namespace: str, version: str = "") -> None:
        self.server = transport.server
        self.version = version
        """Kubernetes' version, empty if the server does not say."""
        self.namespace = namespace
        """The context's."""
        self.recordings: list[Recording] = []
        """What was recorded so far; `why` reads the last one."""
        self._transport, self._reader = transport, reader

    @property
    def kinds(self) -> Table:
        """The kinds that the cluster serves, custom ones too."""
        return self._reader.kinds.table

    def ownership(self, kind: str, name: str = "", namespace: str = "") -> GraphAnswer:
        """Who owns an object, and what it owns: `.graph`, `.text`, `.table`, `.picture`."""
        return ownership(self._reader, self._find(kind, name, namespace))

    def timeline(self, kind: str, name: str = "", namespace: str = "", *, owned: bool = False) -> TimelineAnswer:
        """When what happened to an object; with `owned`, to all that it owns, too: `.timeline`, `.text`, `.table`."""
        root = self._find(kind, name, namespace)
        members, notes = [root], tuple[str, ...]()
        if owned:
            found = family(self._reader, root)
            members, notes = found.members, found.notes
        events, unseen = events_about(self._reader, members)
        return times.timeline(root, members, events, (*notes, *unseen))

    def watch(
        self, duration: float | str = "30s", kinds: Sequence[str] = (), namespace: str | None = None
    ) -> Iterator[Change]:
        """Changes as they come: `for change in lab.watch("1m"): print(change)`. When it ends, they are in `recordings`.

        `kinds`: by default Pods, and what makes Pods. `namespace`: by default the context's; "" is all of them.
        """
        recorder = self._recorder(kinds, namespace)
        try:
            yield from recorder.follow(parse_duration(duration))
        finally:
            self.recordings.append(recorder.recording())

    def record(
        self,
        seconds: float | str = "30s",
        kinds: Sequence[str] = (),
        namespace: str | None = None,
        *,
        until: Callable[[list[Change]], bool] = lambda _: False,
    ) -> Recording:
        """Follow changes for a while, or `until` it has seen enough; what came, in order. Interrupting keeps what came."""
        recorder = self._recorder(kinds, namespace)
        try:
            for _ in recorder.follow(parse_duration(seconds), until):
                pass
        except KeyboardInterrupt:
            pass
        self.recordings.append(recorder.recording())
        return self.recordings[-1]

    def why(self, what: str, field: str = "", *, namespace: str = "") -> ObservedWhy:
        """Why an object, or one field of it, is as it is, as far as this cluster tells: `lab.why("pod/web-abc")`.

        Each link is `known`, `likely` or `unknown`. A field: `spec.replicas`, `spec.containers[web].image`.
        """
        seen = self._find(what, "", namespace)
        owners = owners_of(self._reader, seen)
        above = {owner.found.uid: owner.found for owner in owners if owner.found is not None}
        events, notes = events_about(self._reader, [seen, *above.values()])
        last = self.recordings[-1] if self.recordings else None
        recorded = last is not None and seen.kind in last.kinds
        return why(Evidence(seen, owners, events, last.changes if last else (), recorded, notes), field)

    def close(self) -> None:
        """Close the connections. Safe to call twice."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        version = f"Kubernetes {self.version}, " if self.version else ""
        return f"<ConnectedLab {self.server}: {version}{len(self._known.all)} kinds, read-only>"

    @property
    def _known(self) -> Kinds:
        return self._reader.kinds

    def _find(self, kind: str, name: str, namespace: str) -> Seen:
        """The object that somebody means."""
        if not name:
            kind, slash, name = kind.strip().partition("/")
            if not slash or not name or name.count("/") > 1:
                raise ValueError(
                    f"cannot tell which object is meant by {kind + slash + name!r}; write for example 'pod/web'"
                )
            if "/" in name:
                namespace, _, name = name.partition("/")
        found = self._known.named(kind)
        where = (namespace or self.namespace) if found.resource.namespaced else ""
        return self._reader.find(found, where, name)

    def _recorder(self, kinds: Sequence[str], namespace: str | None) -> Recorder:
        chosen = [self._known.named(kind) for kind in kinds] or [k for k in self._known.all if k.name in IN_FULL]
        where = self.namespace if namespace is None else namespace
        _check_watched(chosen)
        return Recorder(self._reader, chosen, where)


def _check_watched(kinds: Sequence[Kind]) -> None:
    deaf = [kind.name for kind in kinds if "watch" not in kind.verbs]
    if deaf:
        raise ValueError(f"this cluster cannot watch {', '.join(deaf)}; lab.kinds says which have the verb watch")


def _login(kubeconfig: str | Path | None, context: str | None) -> Login:
    """What the kubeconfig says, or a sentence why that is not enough."""
    try:
        who = login(Path(kubeconfig).expanduser() if kubeconfig else None, context)
    except KubeconfigError as error:
        said = str(error)
        if isinstance(error.__context__, yaml.YAMLError):
            said = (
                said.partition(" cannot be read")[0] + " is no YAML"
            )  # the fault quotes lines, and a token may be in one
        raise ConnectError(f"{said}; {_attempt(said)}") from None
    if "@" in urlsplit(who.server).netloc:
        raise ConnectError(
            "the server's address in the kubeconfig holds a user name or password, which k8slab does not send"
        )
    return who


def _attempt(said: str) -> str:
    if "logs in by" in said:
        return "a kubeconfig with a token works: kubectl create token NAME makes one"
    if "context" in said:
        return "kubectl config get-contexts lists them; Lab.connect(context=...) takes one"
    return "name another file: Lab.connect(kubeconfig=...)"


def _version(client: Client) -> str:
    try:
        return str(client.raw("GET", "/version").get("gitVersion") or "")
    except ApiError:
        return ""  # nothing depends on it
