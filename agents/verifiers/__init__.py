"""Episodes for verifiers: its task sets, environment and harness on our chat messages; no torch."""
