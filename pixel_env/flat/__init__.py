"""Observations and actions as arrays of fixed size."""
