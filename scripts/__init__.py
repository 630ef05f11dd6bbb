"""Commands that users run; thin (installed as `pixel_env.scripts`)."""
