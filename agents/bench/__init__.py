"""Measurements of a training on a GPU, and the plan of its memory."""
