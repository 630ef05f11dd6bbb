"""Settings as dataclasses: their checks, their comparison, and their command line."""
