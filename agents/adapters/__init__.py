"""The environment as other trainers and servers take it; no torch."""
