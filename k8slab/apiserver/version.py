"""Which Kubernetes this server speaks: what /version says."""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject

GIT_VERSION = "v1.37.1"
MAJOR, MINOR = "1", "37"


def version_info() -> JsonObject:
    """The answer of /version. Models: k8s.io/apimachinery/pkg/version/types.go (Info)."""
    return {
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": "36",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none: this is k8slab, in Python",
        "compiler": "none",
        # What the nodes say of themselves, whatever machine this is: the same answer everywhere.
        "platform": "linux/amd64",
    }
