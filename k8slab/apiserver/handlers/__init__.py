"""One handler per verb."""
