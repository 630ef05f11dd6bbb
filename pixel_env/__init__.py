"""A Gymnasium environment that a vision-language model may look into before it answers."""
