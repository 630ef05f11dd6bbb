"""Published releases: where they are, and how they are unpacked."""
