"""The rules language: its grammar, and the engine that swaps images by it."""
