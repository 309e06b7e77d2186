"""A real Pulumi engine and a real Kubernetes cluster on one plain Debian machine."""
