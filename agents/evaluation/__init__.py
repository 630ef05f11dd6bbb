"""Evaluation: episodes, scores with intervals, controls, reports, manifests; no torch."""
