"""The Container Runtime Interface, and the two runtimes that implement it."""
