"""Policies and trainers (installed as `pixel_env.agents`)."""
