"""Files that are whole or absent, and values as JSON holds them."""
