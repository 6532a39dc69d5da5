"""A world without a cluster, for widgets: it has Pods, a clock and faults, and does exactly what it is told.

The browser's tests import it inside a notebook's kernel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8slab.clock import EPOCH, parse_duration
from k8slab.lab.drawing import Bar, Edge, Graph, GraphPicture, Mark, Node, Table, Timeline, draw
from k8slab.lab.widgets.sources import FaultRow, Filter, ObjectRow, ObjectTable

HOSTILE = "<img src=x onerror=\"document.title='caught'\">"


class World:
    """Three Pods of one Deployment. A step makes the next Pod fail or run again."""

    def __init__(self, pods: int = 3) -> None:
        self.pods = [f"web-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"[:pods]]
        self.failed: set[str] = set()
        self.steps = self.last_step = 0
        self.first_step = 0
        self.playing = False
        self.speed = 0.0
        self.broken: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    # Controllable

    @property
    def now(self) -> float:
        return EPOCH + self.steps

    @property
    def revision(self) -> int:
        return 100 + self.steps

    def step(self) -> None:
        self._move(self.steps + 1, "step")

    def back(self, n: int = 1) -> None:
        if self.steps < n:
            raise ValueError("nothing was done before step 0")
        self._move(self.steps - n, "back")

    def forward(self, n: int = 1) -> None:
        self._move(self.steps + n, "forward")

    def goto(self, step: int) -> None:
        self._move(step, f"goto {step}")

    def run_for(self, duration: str) -> None:
        self._move(self.steps + int(parse_duration(duration)), f"run_for {duration}")

    def play(self, speed: float) -> None:
        self.playing, self.speed = True, speed
        self.asked.append(f"play {speed}")
        self.changed()
        asyncio.get_running_loop().call_later(0.05, self._play)

    def _play(self) -> None:
        if self.playing:
            self._move(self.steps + 1, "played")
            asyncio.get_running_loop().call_later(0.05, self._play)

    def pause(self) -> None:
        self.playing = False
        self.asked.append("pause")
        self.changed()

    def _move(self, step: int, asked: str) -> None:
        self.asked.append(asked)
        self.steps, self.last_step = step, max(self.last_step, step)
        self.failed = {self.pods[(step - 1) % len(self.pods)]} if step else set()
        self.changed()

    def faults(self) -> Sequence[FaultRow]:
        nodes = ["node-1", "node-2", "node-3"]
        rows: list[FaultRow] = [
            {
                "name": "node-lost",
                "label": "A machine is switched off",
                "arguments": [{"name": "node", "choices": nodes}],
                "active": False,
            },
            {
                "name": "slow-watch",
                "label": "A component hears late",
                "arguments": [{"name": "component", "choices": ["scheduler"]}, {"name": "delay", "default": 2.0}],
                "active": False,
            },
            {
                "name": "restart",
                "label": "A component starts again",
                "arguments": [{"name": "component", "choices": ["scheduler", "kubelet/node-1"]}],
                "active": False,
                "once": True,
            },
        ]
        for row in rows:
            row["active"] = row["name"] in self.broken
        return rows

    def fault_on(self, name: str, args: Mapping[str, Any]) -> str:
        if args.get("node") == "node-3":
            raise ValueError("node-3 is lost already")
        self.asked.append(f"fault_on {name} {dict(args)}")
        if name != "restart":
            self.broken[name] = dict(args)
        self.changed()
        return f"fault-{name}"

    def fault_off(self, fault: str) -> None:
        self.asked.append(f"fault_off {fault}")
        del self.broken[fault.removeprefix("fault-")]
        self.changed()

    # Pictures

    def picture(self) -> GraphPicture:
        nodes = [
            Node("Deployment/default/web", ("web",), "Deployment", f"{len(self.pods) - len(self.failed)} ready"),
            Node("ReplicaSet/default/web-1", ("web-1",), "ReplicaSet"),
            *(Node(f"Pod/default/{pod}", (pod,), "Pod", self.state(pod), group="web pods") for pod in self.pods),
        ]
        edges = [
            Edge(nodes[0].id, nodes[1].id, "owns"),
            *(Edge(nodes[1].id, node.id, "owns") for node in nodes[2:]),
        ]
        return GraphPicture(Graph("Who owns whom", tuple(nodes), tuple(edges)), limit=12)

    def state(self, pod: str) -> str:
        return "Failed" if pod in self.failed else "Running"

    # Objects

    def rows(self, filter: Filter) -> ObjectTable:
        rows = [ObjectRow("Node/node-1", ("Node", "", "node-1", "Ready"))]
        rows += [ObjectRow(f"Pod/default/{pod}", ("Pod", "default", pod, self.state(pod))) for pod in self.pods]
        rows += [ObjectRow("Service/shop/cart", ("Service", "shop", "cart", "")), _hostile()]
        kept = [row for row in rows if row.id.startswith(filter.kind) and filter.text in row.id]
        return ObjectTable(("Kind", "Namespace", "Name", "State"), kept)

    def yaml(self, id: str) -> str:
        if id.startswith("Service"):
            raise ValueError(f"{id} is not there any more")
        return f"kind: {id.split('/')[0]}\nmetadata:\n  name: {id.split('/')[-1]}\nstatus:\n  step: {self.steps}\n"

    def events(self, id: str) -> Table:
        return Table(("Time", "Reason", "Message"), (("+1s", "Pulled", f"image of {id.split('/')[-1]} is there"),))

    def why(self, id: str) -> GraphPicture:
        nodes = (
            Node("1", ("you", "create deployment web"), "input"),
            Node("2", ("deployment-controller", "works on web"), "reconcile"),
            Node(id, (id.split("/")[-1], "is created"), "write", lit=True),
        )
        return GraphPicture(Graph(f"Why: {id}", nodes, (Edge("1", "2"), Edge("2", id)), downward=True))


def _hostile() -> ObjectRow:
    return ObjectRow("ConfigMap/shop/hostile", ("ConfigMap", "shop", HOSTILE, ""))


class Line:
    """A timeline of a world: what happened to each Pod."""

    def __init__(self, world: World) -> None:
        self.world, self.selection = world, None
        self.subscribe = world.subscribe

    def picture(self) -> Any:
        bars = [
            Bar(pod, EPOCH + place, EPOCH + 4 + place * 2 if place else None, "Running", "Pod", f"Pod/default/{pod}")
            for place, pod in enumerate(self.world.pods)
        ]
        marks = [
            Mark(pod, EPOCH + 9 + place, "Failed", "fault", f"Pod/default/{pod}")
            for place, pod in enumerate(self.world.pods)
            if pod in self.world.failed
        ]
        marks.append(Mark("you", EPOCH, "create deployment web", "input"))
        return draw(Timeline("What happened", ("you", *self.world.pods), tuple(bars), tuple(marks), EPOCH))


class Many:
    """A graph of a thousand boxes and two thousand arrows, placed on a grid; layout is not what is measured with it."""

    def __init__(self, count: int = 1000) -> None:
        self.step, self.touched = 0, 0
        places = [(id % 40 * 150.0, id // 40 * 90.0) for id in range(count)]
        self.nodes = [_placed(id, *place) for id, place in enumerate(places)]
        ends = [(id, (id * 7 + turn * 13 + 1) % count) for id in range(count) for turn in range(2)]
        self.edges = [
            {
                "id": f"{one}->{other} {number}",
                "source": str(one),
                "target": str(other),
                "path": f"M{places[one][0] + 60} {places[one][1] + 40}L{places[other][0] + 60} {places[other][1]}",
                "label": "",
                "kind": "",
            }
            for number, (one, other) in enumerate(ends)
        ]
        self.svg = "<svg xmlns='http://www.w3.org/2000/svg'/>"

    def picture(self) -> Many:
        return self

    def touch(self, count: int) -> None:
        """Change the state of so many boxes."""
        self.step += 1
        for id in range(count):
            self.nodes[id] = self.nodes[id] | {"state": f"step {self.step}", "rows": _rows(id, f"step {self.step}")}

    @property
    def table(self) -> Table:
        return Table(("Name", "State"), tuple((node["id"], node["state"]) for node in self.nodes))

    def json(self) -> dict[str, Any]:
        rows = [list(row) for row in self.table.rows]
        said = {
            "title": "A thousand",
            "width": 6000.0,
            "height": 2250.0,
            "nodes": list(self.nodes),
            "edges": self.edges,
        }
        return said | {"text": "", "table": {"columns": ["Name", "State"], "rows": rows}, "palette": _palette()}

    def __str__(self) -> str:
        return "a thousand boxes"


def _palette() -> dict[str, Any]:
    from k8slab.lab.drawing.palette import palette_json

    return palette_json(["Pod"])


def _rows(id: int, state: str) -> list[dict[str, Any]]:
    return [
        {"text": "Pod", "role": "tag", "x": 25, "y": 14.5, "width": 30},
        {"text": f"web-{id}", "role": "heading", "x": 10, "y": 38, "width": 60},
        {"text": state, "role": "state", "x": 10, "y": 54, "width": 60},
    ]


def _placed(id: int, x: float, y: float) -> dict[str, Any]:
    look = {"band": 20.0, "rows": _rows(id, "Running"), "lines": [f"web-{id}"], "kind": "Pod", "state": "Running"}
    return {"id": str(id), "x": x, "y": y, "w": 120.0, "h": 64.0, "group": "", "lit": False, "members": 0} | look
