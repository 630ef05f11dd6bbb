"""SyntheticCounting, the twin of TallyQA: boards of stickers and cards."""
