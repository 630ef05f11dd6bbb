"""A benchmark: several policies on several environments, compared sample by sample; no torch."""
