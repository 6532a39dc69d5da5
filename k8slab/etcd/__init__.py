"""The log that remembers everything."""
