"""Training with stable-baselines3, on flat observations and actions."""
