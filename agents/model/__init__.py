"""Models: loading, the backbone in parts, positions, scoring, known shapes."""
