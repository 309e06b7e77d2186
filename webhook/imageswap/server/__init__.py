"""The webhook over HTTPS."""
