"""Policies that can be run on any environment of this package."""
