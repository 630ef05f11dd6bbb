"""What the dialects share: calls, arguments, answers, coordinates, names of views, prompts."""
