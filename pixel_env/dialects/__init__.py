"""Action dialects by name; a new one is one file plus one line in `DIALECTS`."""
