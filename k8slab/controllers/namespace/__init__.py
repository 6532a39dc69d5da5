"""The namespace controller: a namespace that goes takes everything in it along."""

from k8slab.controllers.namespace.namespace_controller import NamespaceController

__all__ = ["NamespaceController"]
