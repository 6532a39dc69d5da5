"""What every Kubernetes API is made of: metadata, labels, patches, schemas, errors."""
