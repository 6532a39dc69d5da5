"""`python -m k8slab` is the `k8slab` command."""

from k8slab.cli.main import main

if __name__ == "__main__":
    main()
