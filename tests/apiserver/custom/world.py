"""An API server whose definitions are established, and the definition of the documentation's CronTab."""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.transport import InProcess
from k8slab.controllers.custom_resource_definition import CustomResourceDefinitionController
from tests.apiserver.harness import ADMIN, Api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "stable.example.com"
CRONTABS = f"/apis/{GROUP}/v1/namespaces/default/crontabs"

SPEC: JsonObject = {
    "type": "object",
    "properties": {
        "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
        "image": {"type": "string"},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
    },
}


def version(name: str = "v1", *, storage: bool = True, spec: JsonObject | None = None, **more: Any) -> JsonObject:
    fields = {"spec": spec or SPEC, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": fields}}
    return {"name": name, "served": True, "storage": storage, "schema": schema, **more}


def definition(
    *versions: JsonObject, plural: str = "crontabs", kind: str = "CronTab", scope: str = "Namespaced", **names: Any
) -> JsonObject:
    spec = {
        "group": GROUP,
        "scope": scope,
        "names": {"plural": plural, "kind": kind, **names},
        "versions": list(versions) or [version()],
    }
    meta = {"name": f"{plural}.{GROUP}"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta,
        "spec": spec,
    }


def crontab(name: str = "job", api_version: str = f"{GROUP}/v1", **spec: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": "CronTab", "metadata": {"name": name}, "spec": spec}


class CustomApi(Api):
    """An API server, and the controller that establishes definitions."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.controller = self.new_controller()

    def new_controller(self) -> CustomResourceDefinitionController:
        client = Client(InProcess(self.server.handle), ADMIN)
        return CustomResourceDefinitionController(client, self.clock, self.server.chance)

    def settle(self) -> None:
        while self.controller.step():
            pass

    def define(self, *versions: JsonObject, **names: Any) -> JsonObject:
        """Make a definition, and let it be established."""
        created = self.do("POST", DEFINITIONS, definition(*versions, **names))
        self.settle()
        return self.do("GET", f"{DEFINITIONS}/{created['metadata']['name']}")

    def redefine(self, *versions: JsonObject) -> None:
        self.do("PATCH", f"{DEFINITIONS}/crontabs.{GROUP}", {"spec": {"versions": list(versions)}},
                {"content-type": "application/merge-patch+json"})  # fmt: skip
        self.settle()

    def causes(self, method: str, path: str, body: Any, headers: Any = None) -> list[tuple[str, str]]:
        """(field, message) of each cause of a 422."""
        response = self.ask(method, path, body, headers)
        assert response.code == 422, response.object
        assert response.object is not None
        return [(each["field"], each["message"]) for each in response.object["details"]["causes"]]
