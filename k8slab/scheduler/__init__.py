"""Which node a Pod goes to."""
