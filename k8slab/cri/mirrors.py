"""Where images are pulled from: a table of mirrors for those who can't reach a registry.

`registry.k8s.io=mirror.example/k8s,docker.io=hub.example` says that `registry.k8s.io/pause:3.10` is to be fetched as
`mirror.example/k8s/pause:3.10`. A Pod's spec and a node's list of images keep the original name. If a mirror does not have
an image, the next one is asked, and the registry itself at last.

k8slab's own, after containerd's `hosts.toml` and minikube's `--image-repository`.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.cri.api import CriError
from k8slab.cri.references import Reference, parse_reference

Mirrors = Mapping[str, tuple[str, ...]]
"""By registry, the places that stand for it, in the order in which they are asked."""


def parse_mirrors(text: str) -> Mirrors:
    """The table that a text such as `a=b,c=d` describes. Raises ValueError, which shows the wrong entry."""
    table: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        registry, equals, mirror = (part.strip() for part in entry.partition("="))
        mirror = mirror.removeprefix("https://").rstrip("/")
        if not (equals and registry and mirror and _is_prefix(mirror)):
            raise ValueError(f"not a mirror: {entry!r}; write for example 'registry.k8s.io=mirror.example/k8s'")
        table[registry] = (*table.get(registry, ()), mirror)
    return table


def _is_prefix(mirror: str) -> bool:
    try:
        parsed = parse_reference(f"{mirror}/image:tag")
    except CriError:
        return False
    # Without a dot, a port or `localhost`, a first component would be a user of docker.io.
    return parsed.domain == mirror.partition("/")[0]


def places(mirrors: Mirrors, reference: Reference) -> list[str]:
    """The names to ask for, best first; the last is the image's own."""
    suffix = f":{reference.tag}" if not reference.digest else f"@{reference.digest}"
    found = [f"{mirror}/{reference.path}{suffix}" for mirror in mirrors.get(reference.domain, ())]
    return [*found, reference.repository + suffix]
