"""Asks target registries whether an image is there, before it is swapped."""
