"""Files that are whole or absent, locks, and values and records as JSON holds them."""
