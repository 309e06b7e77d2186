"""Image swap for Kubernetes: the rules, the admission webhook and the command line."""

__version__ = "0.1.0"
