"""Wrappers around the environment."""
