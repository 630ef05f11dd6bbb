"""The operations of the environment."""
