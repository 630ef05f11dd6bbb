"""SyntheticClip, the twin of MVBench: moving shapes as real mp4."""
