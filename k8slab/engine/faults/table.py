"""The rows: every fault in a sentence, with its arguments, how it begins, and how it ends.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from k8slab.engine.faults import arguments, clocks, lines, machines, processes
from k8slab.engine.faults.arguments import Argument


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


PROCESS = Argument("component", choices=arguments.components)
COMPONENT = Argument("component", choices=arguments.clients)
NODE = Argument("node", choices=arguments.nodes)

FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            "slow-watch", "A component hears of changes late, some twice, some never.",
            (
                COMPONENT, Argument("delay", 2.0, read=arguments.seconds),
                Argument("repeat", 0.1, read=arguments.share), Argument("lose", 0.02, read=arguments.share),
            ),
            lines.slow_watch, lines.fast_watch,
        ),
        FaultKind("dropped-watch", "A component's watches break off; it lists anew.", (COMPONENT,), lines.drop_watch),
        FaultKind("cut-off", "A component cannot reach the API server.", (COMPONENT,), lines.cut, lines.mend),
        FaultKind(
            "node-lost", "A machine is switched off, with all that runs on it.",
            (NODE,), machines.switch_off, machines.switch_on,
        ),
        FaultKind(
            "node-partitioned", "A node and the control plane do not reach each other; its containers run on.",
            (NODE,), lines.partition, lines.rejoin,
        ),
        FaultKind("crash", "A component stops without a word.", (PROCESS,), processes.crash, processes.start),
        FaultKind(
            "restart", "A component crashes, and is started again at once.", (PROCESS,), processes.restart,
        ),
        FaultKind(
            "stop", "A component ends in good order: a leader gives its lease back.",
            (PROCESS,), processes.stop, processes.start,
        ),
        FaultKind(
            "freeze", "A process stands still, and then goes on as if nothing had been; at once, or just before it writes.",
            (COMPONENT, Argument("before", "now", read=arguments.moment)), processes.freeze, processes.thaw,
        ),
        FaultKind(
            "clock-rate", "A component's clock runs fast or slow. It is restarted with it, and without it at the end.",
            (COMPONENT, Argument("rate", read=arguments.rate)), clocks.change_rate, clocks.right_rate,
        ),
        FaultKind(
            "clock-skew", "A component's clock is wrong. It is restarted with it, and without it at the end.",
            (COMPONENT, Argument("ahead", read=arguments.ahead)), clocks.skew, clocks.unskew,
        ),
        FaultKind(
            "api-latency", "Each of a component's requests takes this long.",
            (COMPONENT, Argument("seconds", 1.0, read=arguments.seconds)), lines.slow_down, lines.speed_up,
        ),
        FaultKind(
            "api-errors", "A share of a component's requests fails.",
            (
                COMPONENT, Argument("share", 0.5, read=arguments.share),
                Argument("code", 503, read=arguments.code),
            ),
            lines.refuse, lines.answer,
        ),
        FaultKind(
            "image-pull-failure", "Images cannot be pulled from a registry, a repository, or repository:tag.",
            (Argument("where", "registry.k8s.io"), Argument("message", "dial tcp: i/o timeout")),
            machines.registry_down, machines.registry_up,
        ),
        FaultKind(
            "small-disk", "The disk on which a node keeps its images is small.",
            (NODE, Argument("size", "1Gi", read=arguments.size)), machines.small_disk, machines.usual_disk,
        ),
        FaultKind(
            "container-crash", "The containers of a Pod, or one of them, are killed (exit code 137).",
            (Argument("pod"), Argument("namespace", "default"), Argument("container", "")), machines.kill_containers,
        ),
    )
}  # fmt: skip
"""Every fault, by name."""
