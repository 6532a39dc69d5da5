"""The API server: the one way to what etcd holds."""
