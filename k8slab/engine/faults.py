"""What can go wrong in a cluster, as a table.

A fault begins and ends, or happens once. Each row says what it does in one sentence, which arguments it takes, and how an
engine suffers it. Context managers, scenario files, chaos and the controls of the lab all read this table.

What is broken is always something between the parts, or under them: a line, a clock, a registry, a machine. No component
knows of faults.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8slab.apimachinery.quantity import value as whole_units
from k8slab.client.line import ERRORS, Failing
from k8slab.clock import NEVER, SkewedClock, parse_duration
from k8slab.cri.api import ContainerState, SandboxState
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.cri.simulated_images import DISK
from k8slab.engine.candidates import PART
from k8slab.mistake import Mistake

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine
    from k8slab.engine.inputs import Fault

MOST_AHEAD = 10 * 365 * 86_400.0
FRACTIONS = 1024
RATES = 0.1, 10.0
MOMENTS = ("now", "write")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a fault."""

    name: str
    default: Any = None
    """None: it has to be given."""
    choices: Callable[[Engine], Iterable[str]] | None = None
    """What it can be in a cluster; None: anything."""
    read: Callable[[Any], Any] = str
    """Brings what was given into form. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the table."""

    name: str
    says: str
    """What happens, as a sentence."""
    arguments: tuple[Argument, ...]
    begin: Callable[..., None]
    """Called with the engine, and the arguments by name."""
    end: Callable[..., None] | None = None
    """None: it happens once, and there is nothing to end."""


def arguments_of(engine: Engine | None, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a fault, in form, with defaults. Raises ValueError, which says what there is.

    `engine` None: it is not known yet which components and nodes there will be.
    """
    kind = FAULTS.get(name)
    if kind is None:
        raise Mistake(f"unknown fault {name!r}; there are: {', '.join(FAULTS)}")
    known = {argument.name: argument for argument in kind.arguments}
    if unknown := [each for each in given if each not in known]:
        raise Mistake(f"the fault {name!r} takes no {unknown[0]!r}; it takes: {', '.join(known)}")
    found = {}
    for argument in kind.arguments:
        value = given.get(argument.name, argument.default)
        choices = sorted(argument.choices(engine)) if argument.choices and engine is not None else None
        if value is None:
            among = f", one of: {', '.join(choices)}" if choices else ""
            raise Mistake(f"the fault {name!r} needs {argument.name}=...{among}")
        try:
            value = argument.read(value)
        except (TypeError, ValueError) as wrong:
            raise Mistake(f"the fault {name!r} cannot take {argument.name}={value!r}: {wrong}") from None
        if choices is not None and value not in choices:
            there_are = ", ".join(choices) or "none"
            raise Mistake(f"unknown {argument.name} {value!r}; there are: {there_are}")
        found[argument.name] = value
    return found


def fault_id(name: str, arguments: Mapping[str, Any]) -> str:
    """What a fault that has begun is called: by its name and its subject, which is the first argument.

    The same fault of one subject is one fault, however bad: to begin it again is to change it, and to end it ends it.
    """
    subject = FAULTS[name].arguments[0].name
    return f"{name} {subject}={arguments[subject]}"


def check_fault(engine: Engine, fault: Fault) -> None:
    """Whether a fault can begin, or end. Raises ValueError, which says what there is."""
    arguments = arguments_of(engine, fault.name, fault.arguments)
    if arguments != dict(fault.arguments):
        raise Mistake(f"the fault {fault.name!r} needs all of its arguments in form: {arguments}")
    if fault.ends and FAULTS[fault.name].end is None:
        raise Mistake(f"the fault {fault.name!r} happens once: there is nothing to end")


# What can be named.


def _components(engine: Engine) -> Iterable[str]:
    return (name for name in engine.components if PART not in name)


def _clients(engine: Engine) -> Iterable[str]:
    return engine.lines


def _nodes(engine: Engine) -> Iterable[str]:
    return engine.spec.nodes


def _duration(value: Any) -> float:
    if not isinstance(value, (int, float, str)):
        raise Mistake("write for example '60s', '1m30s' or a number of seconds")
    return parse_duration(value)


def _seconds(value: Any) -> float:
    seconds = _duration(value)
    if not 0 <= seconds < NEVER:
        raise Mistake("a duration is 0 or more")
    return seconds


def _share(value: Any) -> float:
    with suppress(TypeError, ValueError):
        if 0 <= (share := float(value)) <= 1:
            return share
    raise Mistake("a share is a number from 0 to 1")


def _ahead(value: Any) -> float:
    behind = isinstance(value, str) and value.strip().startswith("-")
    seconds = -_duration(value.strip()[1:]) if behind else _duration(value)
    if not abs(seconds) <= MOST_AHEAD:
        raise Mistake("a clock is wrong by ten years at most")
    return seconds


def _rate(value: Any) -> float:
    with suppress(TypeError, ValueError):
        if RATES[0] <= (rate := float(value)) <= RATES[1]:
            return rate
    raise Mistake(f"a clock runs {RATES[0]:g} to {RATES[1]:g} times as fast as a right one")


def _moment(value: Any) -> str:
    if value in MOMENTS:
        return str(value)
    raise Mistake(f"there are: {', '.join(MOMENTS)}")


def _code(value: Any) -> int:
    with suppress(TypeError, ValueError):
        if int(value) in ERRORS:
            return int(value)
    raise Mistake(f"there are: {', '.join(map(str, ERRORS))}")


def _bytes(value: Any) -> int:
    with suppress(TypeError, ValueError):
        if (size := whole_units(value)) >= 0:
            return size
    raise Mistake("a size is a number of bytes, or written as '500Mi' or '1Gi'")


# How an engine suffers them.


def _slow_watch(engine: Engine, component: str, delay: float, repeat: float, lose: float) -> None:
    engine.lines[component].slow_down(delay, repeat, lose)


def _watch_is_fast(engine: Engine, component: str, **_: Any) -> None:
    engine.lines[component].speed_up()


def _drop_watch(engine: Engine, component: str) -> None:
    engine.lines[component].drop()


def _cut(engine: Engine, component: str) -> None:
    engine.lines[component].cut_at("cut-off")


def _mend(engine: Engine, component: str) -> None:
    engine.lines[component].mend("cut-off")


def _partition(engine: Engine, node: str) -> None:
    engine.lines[f"kubelet-{node}"].cut_at("node-partitioned")


def _rejoin(engine: Engine, node: str) -> None:
    engine.lines[f"kubelet-{node}"].mend("node-partitioned")


def _lose_node(engine: Engine, node: str) -> None:
    """The machine is gone at once: its kubelet, and all that runs on it."""
    if engine.runs(f"kubelet-{node}"):
        engine.crash(f"kubelet-{node}")
    runtime = engine.runtimes[node]
    for container in runtime.list_containers():
        if container.state is ContainerState.RUNNING:
            runtime.stop_container(container.id, 0)
    for sandbox in runtime.list_pod_sandboxes():
        runtime.stop_pod_sandbox(sandbox.id)


def _start(engine: Engine, component: str) -> None:
    if not engine.runs(component):
        engine.start(component)


def _find_node(engine: Engine, node: str) -> None:
    _start(engine, f"kubelet-{node}")


def _crash(engine: Engine, component: str) -> None:
    if engine.runs(component):
        engine.crash(component)


def _restart(engine: Engine, component: str) -> None:
    _crash(engine, component)
    engine.start(component)


def _skew(engine: Engine, component: str, ahead: float) -> None:
    # In binary fractions of a second, which add to any time of this century without rounding: a moment that is named on
    # the wrong clock must be the same moment on the right one.
    _set_clock(engine, component, ahead=round(ahead * FRACTIONS) / FRACTIONS)


def _unskew(engine: Engine, component: str, **_: Any) -> None:
    _set_clock(engine, component, ahead=0.0)


def _change_rate(engine: Engine, component: str, rate: float) -> None:
    _set_clock(engine, component, rate=rate)


def _right_rate(engine: Engine, component: str, **_: Any) -> None:
    _set_clock(engine, component, rate=1.0)


def _set_clock(engine: Engine, component: str, ahead: float | None = None, rate: float | None = None) -> None:
    """Change what is wrong with a component's clock, and leave the rest as it is."""
    before = engine.skews.get(component) or SkewedClock(engine.clock)
    now_ahead, now_rate = before.ahead if ahead is None else ahead, before.rate if rate is None else rate
    if (now_ahead, now_rate) == (before.ahead, before.rate):
        return
    engine.skews.pop(component, None)
    if (now_ahead, now_rate) != (0.0, 1.0):
        engine.skews[component] = SkewedClock(engine.clock, now_ahead, now_rate)
    engine.lines[component].wrong_clock = engine.skews.get(component)
    if engine.runs(component):
        _restart(engine, component)


def _freeze(engine: Engine, component: str, before: str) -> None:
    if not engine.runs(component):
        return
    if before == "write":
        engine.lines[component].before_write = lambda: engine.freeze(component)
    else:
        engine.freeze(component)


def _thaw(engine: Engine, component: str, before: str) -> None:
    engine.thaw(component)


def _stop(engine: Engine, component: str) -> None:
    if engine.runs(component):
        engine.stop(component)


def _latency(engine: Engine, component: str, seconds: float) -> None:
    engine.lines[component].latency = seconds


def _no_latency(engine: Engine, component: str, seconds: float) -> None:
    engine.lines[component].latency = 0.0


def _failing(engine: Engine, component: str, share: float, code: int) -> None:
    engine.lines[component].failing = Failing(share, code)


def _not_failing(engine: Engine, component: str, **_: Any) -> None:
    engine.lines[component].failing = None


def _registry_down(engine: Engine, where: str, message: str) -> None:
    engine.registry.fail(where, message)


def _registry_up(engine: Engine, where: str, message: str) -> None:
    engine.registry.heal(where)


def _small_disk(engine: Engine, node: str, size: int) -> None:
    _simulated(engine, node).resize_disk(size)


def _usual_disk(engine: Engine, node: str, **_: Any) -> None:
    _simulated(engine, node).resize_disk(DISK)


def _simulated(engine: Engine, node: str) -> SimulatedRuntime:
    runtime = engine.runtimes[node]
    if not isinstance(runtime, SimulatedRuntime):
        raise Mistake("only a simulated machine's disk can be changed; take Cluster(runtime='simulated')")
    return runtime


def _crash_container(engine: Engine, namespace: str, pod: str, container: str) -> None:
    node, uid = _sandbox_of(engine, namespace, pod)
    runtime = engine.runtimes[node]
    running = [each for each in runtime.list_containers(uid) if each.state is ContainerState.RUNNING]
    named = [each for each in running if container in ("", each.name)]
    if not named:
        names = ", ".join(each.name for each in running) or "none"
        which = f" {container!r}" if container else ""
        raise Mistake(f"no container{which} runs in the Pod {pod!r}; running: {names}")
    for each in named:
        runtime.stop_container(each.id, 0)
    if kubelet := engine.kubelets.get(node):
        kubelet.look_soon()


def _sandbox_of(engine: Engine, namespace: str, pod: str) -> tuple[str, str]:
    """(node, the Pod's UID). The runtimes are asked: their containers run whether a kubelet looks after them or not."""
    for node, runtime in engine.runtimes.items():
        for sandbox in runtime.list_pod_sandboxes():
            if (sandbox.namespace, sandbox.name, sandbox.state) == (namespace, pod, SandboxState.READY):
                return node, sandbox.uid
    raise Mistake(f"no node runs a Pod {pod!r} in the namespace {namespace!r}; see: kubectl get pods -o wide")


_COMPONENT = Argument("component", choices=_clients)
_NODE = Argument("node", choices=_nodes)

FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            "slow-watch", "A component hears of changes late, some twice, some never.",
            (
                _COMPONENT, Argument("delay", 2.0, read=_seconds), Argument("repeat", 0.1, read=_share),
                Argument("lose", 0.02, read=_share),
            ),
            _slow_watch, _watch_is_fast,
        ),
        FaultKind("dropped-watch", "A component's watches break off; it lists anew.", (_COMPONENT,), _drop_watch),
        FaultKind("cut-off", "A component cannot reach the API server.", (_COMPONENT,), _cut, _mend),
        FaultKind(
            "node-lost", "A machine is switched off, with all that runs on it.", (_NODE,), _lose_node, _find_node
        ),
        FaultKind(
            "node-partitioned", "A node and the control plane do not reach each other; its containers run on.",
            (_NODE,), _partition, _rejoin,
        ),
        FaultKind(
            "crash", "A component stops without a word.", (Argument("component", choices=_components),), _crash, _start
        ),
        FaultKind(
            "restart", "A component crashes, and is started again at once.",
            (Argument("component", choices=_components),), _restart,
        ),
        FaultKind(
            "stop", "A component ends in good order: a leader gives its lease back.",
            (Argument("component", choices=_components),), _stop, _start,
        ),
        FaultKind(
            "freeze", "A process stands still, and then goes on as if nothing had been; at once, or just before it writes.",
            (_COMPONENT, Argument("before", "now", read=_moment)), _freeze, _thaw,
        ),
        FaultKind(
            "clock-rate", "A component's clock runs fast or slow. It is restarted with it, and without it at the end.",
            (_COMPONENT, Argument("rate", read=_rate)), _change_rate, _right_rate,
        ),
        FaultKind(
            "clock-skew", "A component's clock is wrong. It is restarted with it, and without it at the end.",
            (_COMPONENT, Argument("ahead", read=_ahead)), _skew, _unskew,
        ),
        FaultKind(
            "api-latency", "Each of a component's requests takes this long.",
            (_COMPONENT, Argument("seconds", 1.0, read=_seconds)), _latency, _no_latency,
        ),
        FaultKind(
            "api-errors", "A share of a component's requests fails.",
            (_COMPONENT, Argument("share", 0.5, read=_share), Argument("code", 503, read=_code)),
            _failing, _not_failing,
        ),
        FaultKind(
            "image-pull-failure", "Images cannot be pulled from a registry, a repository, or repository:tag.",
            (Argument("where", "registry.k8s.io"), Argument("message", "dial tcp: i/o timeout")),
            _registry_down, _registry_up,
        ),
        FaultKind(
            "small-disk", "The disk on which a node keeps its images is small.",
            (_NODE, Argument("size", "1Gi", read=_bytes)), _small_disk, _usual_disk,
        ),
        FaultKind(
            "container-crash", "The containers of a Pod, or one of them, are killed (exit code 137).",
            (Argument("pod"), Argument("namespace", "default"), Argument("container", "")), _crash_container,
        ),
    )
}  # fmt: skip
"""Every fault, by name."""
