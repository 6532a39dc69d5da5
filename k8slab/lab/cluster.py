"""A cluster with the lab's instruments: what `from k8slab import Cluster` gives.

It is `k8slab/cluster.py`'s cluster, watched. The instruments are attached from outside, and each is a module of its own; here
is only what a learner types. Most load when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from k8slab import cluster
from k8slab.engine.engine import Engine
from k8slab.engine.fingerprint import fingerprint
from k8slab.engine.instrument import Instrument
from k8slab.engine.spec import MakeComponent
from k8slab.lab import saved, stepping
from k8slab.lab.breakpoints import Breakpoint, Breakpoints, breakpoint_of
from k8slab.lab.desk.album import Album
from k8slab.lab.desk.changes import Changes
from k8slab.lab.desk.views import ClusterPicture
from k8slab.lab.differences import Differences, diff
from k8slab.lab.drawing import Picture, Table
from k8slab.lab.moments import Moment
from k8slab.lab.past import Past, Pasts
from k8slab.lab.records import Record
from k8slab.lab.story import Story, repeatable
from k8slab.lab.trace import Trace
from k8slab.lab.tracer import Tracer
from k8slab.lab.why import Why, why, why_revision
from k8slab.loop.stepped import Halt, SteppedLoop
from k8slab.mistake import check_choice

if TYPE_CHECKING:
    from k8slab.lab.dashboard import Dashboard
    from k8slab.lab.widgets import Controls, GraphView, ObjectsView, TimelineView, WhyView
    from k8slab.lab.widgets.selection import Selection


class Cluster(cluster.Cluster):
    """See `k8slab.cluster.Cluster`; besides, it can be stepped, rewound, forked, saved, broken into and asked why."""

    trace: Trace
    """Everything that happened, in order, each with its cause."""

    def _hold(self, engine: Engine, port: int = 0) -> None:
        self._breakpoints = Breakpoints()
        self._story: Story | None = None
        self._pasts = Pasts()
        self._dashboard: Dashboard | None = None
        self.changes = Changes()
        """Who is told when the cluster has changed: widgets, and the dashboard."""
        super()._hold(engine, port)

    def _drive(self, engine: Engine) -> None:
        super()._drive(engine)
        assert isinstance(engine.instrument, Tracer)
        self._tracer, self.trace = engine.instrument, engine.instrument.trace
        self._breakpoints.watch(engine, self.trace)
        self.changes.watch(self.trace)

    def _new_instrument(self) -> Instrument:
        return Tracer()

    # Why.

    def why(self, what: str = "", *, field: str = "", revision: int = 0, namespace: str = "default") -> Why:
        """Why an object is as it is: `cluster.why("pod/web-abc")`, `cluster.why("deployment/web", field="status.replicas")`.

        With `revision` alone, why that revision was written; with both, why the object was as it was then. Raises ValueError
        for what there is not.
        """
        if not what and revision:
            answer = why_revision(self._engine, self.trace, revision)
        else:
            answer = why(self._engine, self.trace, what, field=field, revision=revision, namespace=namespace)
        return replace(answer, _widget=self._why_view)

    def _why_view(self, answer: Why) -> WhyView:
        from k8slab.lab.widgets import WhyView

        return WhyView(answer, selection=self.selection)

    def why_id(self, id: str) -> Why:
        """The same for the id of a picture's object: `Pod/default/web-abc`."""
        return self.why(id)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within it nothing moves (on a stepped cluster), and what is asked is not part of what happens: for instruments."""
        loop = self._engine.loop
        with loop.lock if isinstance(loop, SteppedLoop) else nullcontext(), self._tracer.unseen():
            yield

    # Steps.

    @property
    def steps(self) -> int:
        """How many steps were made: units of work of components, and inputs from outside."""
        return self._engine.steps

    @property
    def last_step(self) -> int:
        """The last step of the story that is known: beyond `steps` after going back."""
        story = self._story
        return story.last if story is not None and story.place_of(self._engine) is not None else self.steps

    @property
    def first_step(self) -> int:
        """The step at which the new cluster had come to rest."""
        return self._first_step

    def step(self, n: int = 1, *, by: str = "work", component: str = "") -> stepping.Stepped:
        """One step, or several; the component that worked last, and what happened.

        If nobody has work now, time moves to when someone has. `by` says how far a step goes: work, component, reconcile,
        request, write, event. `component`: until that one has made such a step. Raises RuntimeError on a live cluster.
        """
        if component:
            check_choice("component", [component], self._engine.processes.components)
        worked, before = "", self.trace.last
        for _ in range(n):
            with self._moving() as loop:
                if not isinstance(loop, SteppedLoop):
                    loop.step()  # says why not
                    break
                since = partial(self.trace.since, self.trace.last)
                worked = stepping.step(loop.step, since, by, component)
        return stepping.Stepped(worked, tuple(self.trace.since(before)))

    def step_over(self) -> stepping.Stepped:
        """Let the component whose turn it is do all that it has to do, until another one has had its turn."""
        return self.step(by="component")

    # Back and forth.

    def story(self) -> Table:
        """What came from outside, and at which step: where to go back to. Raises StoryError where nobody can go back."""
        return self._known_story().inputs()

    def back(self, n: int = 1) -> Self:
        """Go back `n` steps. Raises ValueError beyond the beginning, StoryError where nobody can go back."""
        return self.goto(self._place() - n)

    def forward(self, n: int = 1) -> Self:
        """Go forward again, `n` steps of what was lived before. Raises ValueError beyond its end."""
        return self.goto(self._place() + n)

    def goto(self, step: int) -> Self:
        """Go to a step of the story: a cluster as it was then, from which one can go on, also another way.

        Raises ValueError for a step that there is not, StoryError where nobody can go back.
        """
        self._check_open()
        self.pause()
        with self._moving(), self.looking():
            story = self._known_story()
            engine = story.live(self._engine.spec, step, self._new_instrument())
            before, self._story = self._engine, story
            self._drive(engine)
            before.server.watches.close_all()
            before.close()
        return self

    def fork(self, step: int | None = None) -> Self:
        """Another cluster with the same past, up to a step (default: this one), and a future of its own."""
        self._check_open()
        story = self._known_story()
        engine = story.live(self._engine.spec, self.steps if step is None else step, self._new_instrument())
        return self._with(engine, None, story.first)

    def save(self, path: str | Path) -> Path:
        """Write the cluster's life, up to now, into a file. It holds what was sent to the cluster, Secrets included."""
        self._check_open()
        where = Path(path)
        saved.save(self._engine.spec, Story.of(self._engine, self.first_step), where)
        return where

    @classmethod
    def load(cls, path: str | Path, replace: Mapping[str, MakeComponent] | None = None) -> Self:
        """The cluster of a file, at the end of its story. Raises StoryError for a file that is damaged, or too new.

        `replace`: the controllers that had been replaced, if any had been.
        """
        spec, story = saved.load(Path(path), replace)
        return cls._with(story.live(spec, story.last, Tracer()), story, story.first)

    @classmethod
    def _with(cls, engine: Engine, story: Story | None, first: int) -> Self:
        made = cls.__new__(cls)
        made._hold(engine)
        made._story, made._first_step = story, first
        return made

    def fingerprint(self) -> str:
        """The state, log and caches and queues and containers, in a few letters: equal states will do the same."""
        repeatable(self._engine)
        return fingerprint(self._engine)

    def _known_story(self) -> Story:
        """The story as far as it is known: the one that was gone back in, as long as nothing else was done since."""
        if self._story is None or self._story.place_of(self._engine) is None:
            self._story = Story.of(self._engine, self.first_step)
        return self._story

    def _place(self) -> int:
        """The step of the known story at which the cluster is."""
        place = self._known_story().place_of(self._engine)
        return self.steps if place is None else place

    # The past, to look at.

    def at(self, moment: Moment) -> Past:
        """The cluster as it was: `cluster.at(41)` (a revision), `cluster.at("+90s")`, `cluster.at("2026-01-01T00:01:30Z")`.

        It can be read, by kubectl too, and not changed. Live clusters have a past as well, back to the last compaction. Raises
        ValueError for a moment that is not kept.
        """
        self._check_open()
        return self._pasts.at(self._engine, moment)

    def diff(self, a: Moment, b: Moment | None = None, **filters: Any) -> Differences:
        """What changed between two moments (default: until now), by whom: `cluster.diff("+10s", kind="pod")`.

        Filters: kind, name, namespace, ignore. Raises ValueError for a moment that is not kept.
        """
        return diff(self.at(a), self.at(self.store.revision if b is None else b), **filters)

    # Pictures.

    @cached_property
    def pictures(self) -> Album:
        """Pictures of what happened: `cluster.pictures.causal()`, `.sequence()`, `.timeline("pod/web")`, ..."""
        return Album(self)

    # Widgets. Choosing an object in one of them chooses it in all.

    @cached_property
    def selection(self) -> Selection:
        """The object that is chosen in the widgets: `cluster.selection.selected`."""
        from k8slab.lab.widgets.selection import Selection

        return Selection()

    def view(self) -> GraphView:
        """The cluster at work, live: its components, nodes and Pods, and who talks to whom."""
        return self._graph_view(self.pictures.architecture)

    def graph(self, kind: str = "", name: str = "", namespace: str = "default") -> GraphView:
        """Who owns whom, live: of one object, or of a whole namespace."""
        return self._graph_view(lambda: self.pictures.ownership(kind, name, namespace))

    def timeline(self, what: str = "", **filters: Any) -> TimelineView:
        """What happened when, live: by component, or of one object: `cluster.timeline("pod/web-abc")`."""
        from k8slab.lab.widgets import TimelineView

        return TimelineView(ClusterPicture(self, lambda: self.pictures.timeline(what, **filters)))

    def controls(self) -> Controls:
        """Play, pause, step, back, speed, faults."""
        from k8slab.lab.desk.hands import ClusterHands
        from k8slab.lab.widgets import Controls

        return Controls(ClusterHands(self))

    def objects(self, text: str = "", kind: str = "", namespace: str = "") -> ObjectsView:
        """All objects, to look through: YAML, events, why."""
        from k8slab.lab.desk.objects import ClusterObjects
        from k8slab.lab.widgets import ObjectsView

        return ObjectsView(ClusterObjects(self), text=text, kind=kind, namespace=namespace)

    def dashboard(self, port: int = 0, *, browser: bool = False) -> Dashboard:
        """The same views as a web page on 127.0.0.1, until it or the cluster is closed. `browser`: open it at once."""
        from k8slab.lab.dashboard import open_dashboard

        self._check_open()
        if self._dashboard is None or self._dashboard.closed:
            self._dashboard = open_dashboard(self, port)
        if browser:
            self._dashboard.open()
        return self._dashboard

    def _graph_view(self, draw: Callable[[], Picture]) -> GraphView:
        from k8slab.lab.widgets import GraphView

        return GraphView(ClusterPicture(self, draw))

    # Breakpoints.

    def break_on(
        self,
        *,
        kind: str = "",
        name: str = "",
        when: Callable[[Any], bool] | None = None,
        component: str = "",
        reason: str = "",
        failed: bool = False,
        code: int = 0,
    ) -> Breakpoint:
        """Stop when something happens: a change of a kind (`when` is given the object), a component's work, an Event with a
        reason, a request that failed. Commands then end early, and say why. Raises ValueError for what there is not.
        """
        made = breakpoint_of(
            self._engine, kind=kind, name=name, when=when, component=component, reason=reason, failed=failed, code=code
        )  # fmt: skip
        self._breakpoints.add(made)
        return made

    def unbreak(self, *which: Breakpoint) -> None:
        """Take breakpoints away; all of them, if none is named."""
        self._breakpoints.remove(*(which or self.breakpoints))

    @property
    def breakpoints(self) -> list[Breakpoint]:
        """The breakpoints that are set."""
        return list(self._breakpoints)

    @property
    def stopped(self) -> Halt | None:
        """Why the last command was stopped before it was done; None if it was not."""
        return self._engine.loop.halt

    def close(self) -> None:
        """Stop everything and remove every trace. Safe to call twice."""
        if self._dashboard is not None:
            self._dashboard.close()
        self._pasts.close()
        super().close()

    def export(self, path: str | Path) -> int:
        """Write the trace into a file, as JSON Lines; how many records. `k8slab.lab.otel` makes OpenTelemetry spans of it."""
        from k8slab.lab.export import to_json_lines

        return to_json_lines(self.trace, Path(path))

    def records(self, **wanted: Any) -> list[Record]:
        """Records of the trace: `cluster.records(kind="commit", what="pods/")`. See `Trace.select`."""
        return self.trace.select(**wanted)
