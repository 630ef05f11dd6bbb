"""The warm start: demonstrations made by executing the environment, and their imitation."""
