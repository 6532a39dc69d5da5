"""Who works next, on which clock; and kubectl, run against it."""
