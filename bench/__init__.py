"""Benchmarks: each measures one thing, and says how."""
