"""Other engines that sample for our loop: vLLM behind the Protocol of engines."""
