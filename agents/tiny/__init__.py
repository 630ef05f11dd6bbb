"""The tiny policy: its model, tokenizer, and how it is first taught to see."""
