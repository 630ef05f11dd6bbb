"""Policies and trainers; torch is here only (installed as `pixel_env.agents`)."""
