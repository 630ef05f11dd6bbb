"""Settings as dataclasses: their checks, and their command line."""
