"""Training with verl: its agent loop on our episodes, curiosity of whole groups, advantages."""
