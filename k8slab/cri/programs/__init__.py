"""What simulated containers run: the servers of the teaching images, a small shell, and its everyday commands."""
