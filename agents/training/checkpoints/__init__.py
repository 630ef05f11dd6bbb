"""Checkpoints that are whole or absent, and resume exactly."""
