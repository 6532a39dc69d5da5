"""The images of a cluster on Docker.

All nodes share the Engine's images, and the Engine has others that are none of the cluster's business. So the cluster *holds*
an image by a tag of its own, `k8slab.local/<cluster>/<registry>/<path>:<tag>`, given as the last step of a pull: what is
half made has no name and is never run, and removing or collecting an image takes only that tag away.

A pull looks in the Engine first, then asks the mirrors and the registry; where none answers, a teaching image is built.

Models: k8s.io/cri-api ImageService; cri-dockerd core/image.go.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import orjson
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from k8slab.clock import Stopwatch
from k8slab.cri.api import CriError, Image, PullResult
from k8slab.cri.docker_engine import Engine, cri_error, translated
from k8slab.cri.docker_objects import CLUSTER, RUN
from k8slab.cri.docker_teaching import image_changes, image_tar
from k8slab.cri.images import find_image, has_repository
from k8slab.cri.mirrors import Mirrors, places
from k8slab.cri.references import Reference, parse_reference
from k8slab.cri.registry import SimulatedRegistry

OWN_DOMAIN = "k8slab.local"
_SILENCE, _TEACHING_SILENCE = 120.0, 8.0
"""Seconds that a registry may be silent; less where there is a teaching image to fall back on."""
_FORGET_AFTER = 300.0
"""Seconds before a registry that did not answer is asked again for an image that can be built."""
_MISSING = ("not found", "manifest unknown", "pull access denied", "does not exist", "no matching manifest")


def own_name(run: str, reference: Reference) -> str:
    """The cluster's own name for an image."""
    tag = reference.digest.replace(":", "-") if reference.digest else reference.tag
    return f"{OWN_DOMAIN}/{run}/{reference.domain.replace(':', '_')}/{reference.path}:{tag}"


def original_name(run: str, name: str) -> str | None:
    """The image's name behind a cluster's own; None if it is not this cluster's."""
    prefix = f"{OWN_DOMAIN}/{run}/"
    if not name.startswith(prefix):
        return None
    domain, _, path = name.removeprefix(prefix).partition("/")
    path, _, tag = path.rpartition(":")
    mark = f"@{tag.replace('-', ':', 1)}" if tag.startswith("sha256-") else f":{tag}"
    return f"{domain.replace('_', ':')}/{path}{mark}"


class DockerImages:
    """The images of one cluster, on all its nodes."""

    def __init__(
        self, engine: Engine, run: str, labels: Mapping[str, str], mirrors: Mirrors, registry: SimulatedRegistry | None
    ) -> None:
        self._engine, self._run, self._labels, self._mirrors, self._registry = engine, run, labels, mirrors, registry
        self._pulling = threading.Lock()
        """One pull at a time, as a kubelet's default has it."""
        self._silent: dict[str, Stopwatch] = {}
        """Registries that did not answer, and how long ago."""

    # What is here.

    def _names(self, image: Mapping[str, Any]) -> list[str]:
        return [name for tag in image.get("RepoTags") or () if (name := original_name(self._run, tag))]

    def _view(self, image: Mapping[str, Any]) -> Image:
        digests = [digest for digest in image.get("RepoDigests") or () if not digest.startswith((OWN_DOMAIN, "<none>"))]
        names = self._names(image)
        tags = sorted(name for name in names if "@" not in name)
        digests += sorted(name for name in names if "@" in name and name not in digests)
        return Image(image["Id"], tuple(tags), tuple(digests), int(image["Size"]))

    def status(self, image: str) -> Image | None:
        """The image that a reference, or an id, names."""
        if image.startswith("sha256:"):
            return next((held for held in self.list() if held.id == image), None)
        inspected = self._inspect(own_name(self._run, parse_reference(image)))
        return self._view(inspected) if inspected else None

    def _inspect(self, name: str) -> dict[str, Any] | None:
        with translated():
            return self._engine.inspect_or_none(name)

    def list(self) -> list[Image]:
        """All images that the cluster holds."""
        with translated():
            listed = self._engine.images()
        return [self._view(image) for image in listed if self._names(image)]

    # Pull.

    def pull(self, image: str) -> PullResult:
        """Fetch an image, or build it; the tag comes last."""
        reference = parse_reference(image)
        if self._registry is not None:
            self._registry.check(reference)
        own = own_name(self._run, reference)
        with self._pulling:
            held = self._inspect(own)
            if held is None:
                self._fetch(reference, own)
                held = self._inspect(own)
        if held is None:
            raise CriError("NotFound", f"image {image} was removed while it was pulled")
        view = self._view(held)
        return PullResult(view.digests[0] if view.digests else view.id, view.size)

    def _fetch(self, reference: Reference, own: str) -> None:
        if self._inspect(str(reference)) is not None:  # the Engine has it: somebody pulled it before, or made it
            self._tag(str(reference), own)
            return
        failures: list[CriError] = []
        for place in places(self._mirrors, reference):
            try:
                self._pull_from(place, reference, own)
            except CriError as error:
                failures.append(error)
            else:
                return
        if found := find_image(reference):
            self._build(*found, own)
            return
        if has_repository(reference):
            # We stand for this repository where its registry is out of reach, and we do not have that tag.
            raise CriError(
                "NotFound", f"Error response from daemon: manifest for {reference} not found: manifest unknown"
            )
        raise next((failure for failure in failures if failure.code == "NotFound"), failures[-1])

    def _pull_from(self, place: str, reference: Reference, own: str) -> None:
        host = place.partition("/")[0]
        teaching = has_repository(reference)
        asked = self._silent.get(host)
        if teaching and asked is not None and asked.elapsed() < _FORGET_AFTER:
            raise CriError("Unavailable", f"{host} did not answer a moment ago")
        was_here = self._inspect(place) is not None
        try:
            for line in self._engine.pull_lines(place, _TEACHING_SILENCE if teaching else _SILENCE):
                if "error" in line:
                    raise _pull_error(str(line["error"]))
        except APIError as error:
            failure = _pull_error(str(error.explanation))
            if failure.code == "Unavailable":
                self._silent[host] = Stopwatch()
            raise failure from error
        except (DockerException, requests.RequestException) as error:
            self._silent[host] = Stopwatch()
            raise cri_error(error) from error
        self._tag(place, own)
        if not was_here:
            with translated():
                self._engine.remove_image(place, noprune=True)

    def _tag(self, name: str, own: str) -> None:
        repository, _, tag = own.rpartition(":")
        with translated():
            self._engine.tag(name, repository, tag)

    def _build(self, image: Any, tag: str, own: str) -> None:
        # Its labels say whose it is even while it has no name.
        labels = [f'LABEL {key}="{self._labels[key]}"' for key in (CLUSTER, RUN)]
        with translated():
            answer = self._engine.import_image_from_data(
                image_tar(image, tag), changes=[*image_changes(image), *labels]
            )
        made = next(line["status"] for line in map(orjson.loads, str(answer).splitlines()) if "status" in line)
        self._tag(made, own)

    # Remove.

    def remove(self, image: str) -> None:
        """Give an image up: by name, or by id with all its names."""
        if image.startswith("sha256:"):
            held = self.status(image)
            names = [own_name(self._run, parse_reference(name)) for name in held.tags] if held else []
        else:
            try:
                names = [own_name(self._run, parse_reference(image))]
            except CriError:
                return
        for name in names:
            remove_tag(self._engine, name)


def remove_tag(engine: Engine, name: str) -> None:
    """Take a name away; the image goes with its last name, unless a container needs it."""
    with translated():
        try:
            engine.remove_image(name)
        except ImageNotFound:
            return
        except APIError as error:
            conflict = 409
            if error.response is None or error.response.status_code != conflict:
                raise
            engine.remove_image(name, force=True)  # the container keeps its image, without a name


def _pull_error(message: str) -> CriError:
    missing = any(word in message for word in _MISSING)
    return CriError("NotFound" if missing else "Unavailable", f"Error response from daemon: {message}")
