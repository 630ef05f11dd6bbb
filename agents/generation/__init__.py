"""Generation: the engine, its cache, sessions over turns, collection of episodes."""
