"""Token trajectories: what generation records and training reads; never text."""
