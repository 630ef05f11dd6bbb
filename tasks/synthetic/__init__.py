"""Procedural twins of the real task sets: endless, seeded, no download."""
