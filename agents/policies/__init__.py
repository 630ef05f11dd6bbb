"""Policies that an evaluation can run, by name."""
