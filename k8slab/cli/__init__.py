"""The `k8slab` command: live clusters in a terminal."""
