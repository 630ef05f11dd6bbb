"""Task sets (installed as `pixel_env.tasks`)."""
