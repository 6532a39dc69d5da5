"""`make bench`: run the benchmarks, print a table, write the figures with their commands and environment.

    python -m bench                      all of them; writes bench/results.json
    python -m bench import_time pods     those whose names begin so
    python -m bench --json FILE          writes there
    python -m bench --list               says what there is

Each benchmark is a function in a module of this folder, and runs in a process of its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.measure import Figure, environment, figure

BENCHMARKS = {
    "import_time": "bench_start",
    "start_stepped": "bench_start",
    "start_live": "bench_start",
    "store_writes": "bench_store",
    "sqlite_writes": "bench_store",
    "watch_fan_out": "bench_store",
    "http_get": "bench_http",
    "http_post": "bench_http",
    "list_10k": "bench_http",
    "watch_event": "bench_http",
    "kubectl_round_trip": "bench_kubectl",
    "pods_1000": "bench_pods",
    "pods_100_to_10000": "bench_pods",
    "pods_memory": "bench_pods",
    "pods_on_1000_nodes": "bench_pods",
    "pods_memory_100000": "bench_pods",
    "nodes_hour": "bench_pods",
    "trace_cost": "bench_lab",
    "trace_memory": "bench_lab",
    "replay": "bench_lab",
    "why": "bench_lab",
    "docker_pod": "bench_docker",
}
"""Function -> module."""

AT_MOST, AT_LEAST = "≤", "≥"
TARGETS = {
    "import k8slab": (AT_MOST, 0.3),
    "3 Ready nodes, stepped": (AT_MOST, 0.1),
    "3 Ready nodes, live": (AT_MOST, 1.0),
    "HTTP GET": (AT_LEAST, 5_000),
    "HTTP POST": (AT_LEAST, 3_000),
    "list of 10,000 Pods": (AT_MOST, 1),
    "1,000 Pods to Running": (AT_LEAST, 1_000),
    "memory of 10,000 Pods": (AT_MOST, 200),
    "memory of 100,000 Pods": (AT_MOST, 1_536),
    "100 nodes for a virtual hour": (AT_MOST, 2),
    "cost of the trace": (AT_MOST, 15),
    "replay of a session": (AT_MOST, 2),
    "docker pod": (AT_MOST, 1.2),
}
"""What to aim at, by the figure's name."""

RESULTS = Path(__file__).parent / "results.json"
TIMEOUT = 900


def main() -> None:
    """Measure what was asked for; exit code 1 if something could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure k8slab.")
    parser.add_argument("names", nargs="*", help="the benchmarks whose names begin so; all if none is given")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--list", action="store_true", help="say which benchmarks there are")
    parser.add_argument("--here", metavar="NAME", help=argparse.SUPPRESS)  # in this process, figures as JSON
    options = parser.parse_args()
    if options.here:
        print(json.dumps(_run_here(options.here)))
        return
    chosen = _chosen(options.names)
    if options.list:
        print("\n".join(chosen))
        return
    figures = []
    for name in chosen:
        print(f"{name} ...", end="\r", file=sys.stderr, flush=True)
        for each in _run(name):
            figures.append(each)
            print(_row(each), flush=True)
    where = options.json or (None if options.names else RESULTS)
    if where:
        where.write_text(json.dumps({"environment": environment(), "figures": figures}, indent=2) + "\n")
        print(f"written to {where}")
    sys.exit(1 if any("error" in each for each in figures) else 0)


def _chosen(names: list[str]) -> list[str]:
    for name in names:
        if not any(each.startswith(name) for each in BENCHMARKS):
            sys.exit(f"no benchmark begins with {name!r}; there are: {', '.join(BENCHMARKS)}")
    return [each for each in BENCHMARKS if not names or each.startswith(tuple(names))]


def _run_here(name: str) -> list[Figure]:
    found = getattr(importlib.import_module(f"bench.{BENCHMARKS[name]}"), name)()
    return found if isinstance(found, list) else [found]


def _run(name: str) -> list[Figure]:
    """A benchmark's figures, from a fresh process; of one that fails, what it said last."""
    command = [sys.executable, "-m", "bench", "--here", name]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if ran.returncode:
            raise RuntimeError((ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1])
        figures: list[Figure] = json.loads(ran.stdout.splitlines()[-1])
    except (RuntimeError, subprocess.TimeoutExpired, ValueError, IndexError) as fault:
        figures = [figure(name, None, "", str(fault)) | {"error": True}]
    return [each | _target(each) | {"command": f"python -m bench {name}"} for each in figures]


def _target(each: Figure) -> dict[str, Any]:
    if each["name"] not in TARGETS:
        return {}
    sign, bound = TARGETS[each["name"]]
    value = each["value"]
    met = None if value is None else value <= bound if sign == AT_MOST else value >= bound
    return {"target": f"{sign} {bound:,}", "met": met}


def _row(each: Figure) -> str:
    value = "-" if each["value"] is None else f"{each['value']:,}"
    verdict = {True: "met", False: "missed", None: ""}[each.get("met")]
    return f"{each['name']:<34}{value:>10} {each['unit']:<22}{each.get('target', ''):<9}{verdict:<8}{each['detail']}"


if __name__ == "__main__":
    main()
