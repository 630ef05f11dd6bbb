"""On-policy RL: groups, advantages, losses, updates, replay, belief."""
