"""The kinds that the engine reads, as short typed views."""
