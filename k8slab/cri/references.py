"""Image references: what `nginx` is short for.

A reference is `[domain/]path[:tag][@digest]`. Docker's short forms are expanded before anything is compared: no domain means
`docker.io`, one path component there means `library/`, no tag and no digest means `latest`. So `nginx`,
`docker.io/nginx` and `index.docker.io/library/nginx:latest` name one image, and a node that holds it answers to all three.

Models: github.com/distribution/reference (ParseNormalizedNamed, TagNameOnly, FamiliarString).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from k8slab.cri.api import CriError

DEFAULT_DOMAIN = "docker.io"
LEGACY_DOMAIN = "index.docker.io"
OFFICIAL = "library/"
DEFAULT_TAG = "latest"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DOMAIN = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]+)?")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_HEX_ID = re.compile(r"[a-f0-9]{64}")
_NAME_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in full."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """`docker.io/library/nginx`."""
        return f"{self.domain}/{self.path}"

    def __str__(self) -> str:
        """`docker.io/library/nginx:latest`."""
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


@lru_cache(maxsize=1024)
def parse_reference(text: str) -> Reference:
    """The reference that `text` is short for. InvalidArgument, with Docker's message, if it is not one."""
    if _HEX_ID.fullmatch(text):
        raise _invalid(text, "cannot specify 64-byte hexadecimal strings")
    rest, at, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    is_domain = slash and ("." in head or ":" in head or head == "localhost" or head != head.lower())
    domain, path = (head, tail) if is_domain else (DEFAULT_DOMAIN, rest)
    path, colon, tag = path.partition(":")
    if domain == LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = OFFICIAL + path
    if path != path.lower():
        raise _invalid(text, "repository name must be lowercase")
    well_formed = (
        _DOMAIN.fullmatch(domain)
        and _PATH.fullmatch(path)
        and (not colon or _TAG.fullmatch(tag))
        and (not at or _DIGEST.fullmatch(digest))
    )
    if not well_formed:
        raise _invalid(text, "invalid reference format")
    if len(f"{domain}/{path}") > _NAME_LIMIT:
        raise _invalid(text, "repository name must not be more than 255 characters")
    return Reference(domain, path, tag or ("" if digest else DEFAULT_TAG), digest)


def _invalid(text: str, why: str) -> CriError:
    return CriError("InvalidArgument", f'failed to parse image reference "{text}": {why}')
