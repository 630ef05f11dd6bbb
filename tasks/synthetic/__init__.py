"""Procedural twins of the real task sets."""
