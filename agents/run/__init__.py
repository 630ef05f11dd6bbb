"""A whole training run: config, stages, report, folders, progress."""
