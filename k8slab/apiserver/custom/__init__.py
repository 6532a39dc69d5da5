"""Kinds that users define: what a CustomResourceDefinition makes of an API server."""
