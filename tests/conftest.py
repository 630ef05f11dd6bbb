"""Puts this folder on the path, so that every test can use the fixture writers in it."""
